# shellcheck shell=sh
# What the support scripts share. Sourced, not run, with the caller's $name; needs Linux (/proc).

say() { echo "$name: $*" >&2; }
die() { say "$*"; exit 1; }

# unavailable TEXT: not a failure of ours; something has to be installed first.
unavailable() { say "$*"; exit 3; }

# usage_error TEXT: wrong arguments, so the usage goes with it.
usage_error() { say "$*"; usage >&2; exit 2; }

# port_is_taken PORT: whether something listens there.
port_is_taken() {
    cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -q " [0-9A-F]*:$(printf %04X "$1") [0-9A-F]*:0000 0A "
}

# free_ports COUNT: the first of so many free ports in a row. Below 32768, so that no outgoing connection is given one of
# them while a server is down. Two callers at once may get the same: who cannot bind asks again.
free_ports() {
    _tries=0
    while [ $_tries -lt 200 ]; do
        _first=$((15000 + ($(od -An -N2 -tu2 /dev/urandom) % 330) * 50)) _next=0
        while [ $_next -lt "$1" ] && ! port_is_taken $((_first + _next)); do _next=$((_next + 1)); done
        if [ $_next -eq "$1" ]; then
            echo $_first
            return
        fi
        _tries=$((_tries + 1))
    done
    die "no $1 free ports in a row between 15000 and 31500"
}

# is_process PID TEXT: whether PID lives and its command line contains TEXT. A number in a pid file may belong to somebody
# else by now.
is_process() {
    [ -n "$1" ] && tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline" | grep -qF -- "$2"
}

# birth PID: when it started, which tells it from a later process with the same number. Fails when it is gone; a zombie is,
# unless threads of it still run: they hold its sockets open.
birth() {
    _pid=$1
    _stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    # The second field, the name, may contain spaces and ends at the last parenthesis.
    # shellcheck disable=SC2086
    set -- ${_stat##*) }
    if [ "$1" = Z ] && [ "$(ls "/proc/$_pid/task" 2>/dev/null | wc -l)" -le 1 ]; then return 1; fi
    echo "${20}"
}

# follow PID DIR SCRIPT: takes DIR down when the process PID has ended. In a session of its own, so that a signal to the
# caller's process group, Ctrl-C for one, does not end the guard as well.
follow() {
    birth "$1" >/dev/null || die "no process $1 to follow"
    # Nor is it a job of the caller, who may wait for his.
    (setsid "$3" follow "$1" "$(birth "$1")" "$2" </dev/null >/dev/null 2>&1 &)
}

# follow_until_end PID BIRTH DIR: returns when the process has ended or DIR is gone.
follow_until_end() {
    while [ -d "$3" ] && [ "$(birth "$1")" = "$2" ]; do sleep 1; done
}

# make_certificates DIR: ca.pem, and server.pem with server.key for localhost and 127.0.0.1. A real CA and a leaf, for some
# clients accept no self-signed server.
make_certificates() (
    command -v openssl >/dev/null || unavailable "openssl is not installed: apt-get install openssl"
    mkdir -p "$1"
    cd "$1"
    cat >openssl.cnf <<END
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, IP:127.0.0.1
END
    {
        openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out ca.key
        openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out server.key
        openssl req -x509 -new -config openssl.cnf -extensions ca -key ca.key -out ca.pem -days 365 \
            -subj "/CN=Uptime Monitor test CA"
        openssl req -new -config openssl.cnf -key server.key -out server.csr -subj "/CN=localhost"
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 365 -out server.pem \
            -extfile openssl.cnf -extensions server
    } >openssl.log 2>&1 || {
        cat openssl.log >&2
        die "openssl failed"
    }
    chmod 600 ca.key server.key
)

# remove_ours DIR MARK: removes what `up` made, which it marked with a file.
remove_ours() {
    [ -f "$1/$2" ] || die "$1 has no $2, so it is none of ours: not removed"
    rm -rf "$1"
}

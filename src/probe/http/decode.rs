//! Takes the content codings off a body (RFC 9110, section 8.4) while it arrives, so that nobody needs room for more of it than he
//! will look at.

use std::io::{self, Cursor};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use async_compression::tokio::bufread::{
    BrotliDecoder, DeflateDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder,
};
use async_compression::zstd::DParameter;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use tokio::io::{AsyncBufRead, AsyncRead, AsyncReadExt as _, BufReader, ReadBuf};
use tokio_util::io::StreamReader;

use crate::probe::head::Head;

/// The window that RFC 9659 allows a server: 8 MiB. A larger one would be memory that anybody can make us use.
const ZSTD_WINDOW_LOG: u32 = 23;

/// Codings on top of each other that are taken off. Nobody in good faith uses more.
const MOST: usize = 3;

/// Decoded at once.
const BLOCK: usize = 8 * 1024;

/// Encoded bytes after which others have a turn. In these fit 200 members without content, each as much work as a page.
const TURN: usize = 4 * 1024;

type Reader<'s> = Pin<Box<dyn AsyncBufRead + 's>>;

/// A coding that we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

/// What is to be taken off the body, in the order in which it was put on. Empty where nothing is: then the body is taken as it is, as
/// browsers and curl take what they have not asked for.
pub(super) fn codings(head: &Head) -> Vec<Coding> {
    if is_part(head) { Vec::new() } else { named(head) }
}

/// Whether the body is a piece out of the middle of a coded one, or several of them: only the whole could be decoded.
pub(super) fn is_coded_part(head: &Head) -> bool {
    is_part(head) && !named(head).is_empty()
}

/// 206 has the bytes of a range (RFC 9110, section 15.3.7), and of several with a media type that says so. A range may be all there is.
fn is_part(head: &Head) -> bool {
    head.status == 206 && !head.values("content-range").any(is_whole)
}

/// `bytes 0-99/100`.
fn is_whole(range: &[u8]) -> bool {
    let read = || {
        let text = std::str::from_utf8(range).ok()?.trim();
        let (range, length) =
            text.get(5..).filter(|_| text[..5].eq_ignore_ascii_case("bytes"))?.split_once('/')?;
        let (first, last) = range.trim().split_once('-')?;
        let number = |text: &str| text.trim().parse::<u64>().ok();
        Some(number(first)? == 0 && number(last)?.checked_add(1)? == number(length)?)
    };
    read().unwrap_or(false)
}

/// The codings that are known; none where one of them is not.
fn named(head: &Head) -> Vec<Coding> {
    let items = head.items("content-encoding").filter(|item| !item.is_empty() && !is(item, "identity"));
    let known: Option<Vec<Coding>> = items.map(Coding::named).collect();
    known.filter(|codings| codings.len() <= MOST).unwrap_or_default()
}

fn is(item: &[u8], name: &str) -> bool {
    item.eq_ignore_ascii_case(name.as_bytes())
}

impl Coding {
    fn named(item: &[u8]) -> Option<Self> {
        let names = [
            ("gzip", Self::Gzip),
            ("x-gzip", Self::Gzip),
            ("deflate", Self::Deflate),
            ("br", Self::Brotli),
            ("zstd", Self::Zstd),
        ];
        names.into_iter().find(|(name, _)| is(item, name)).map(|(_, coding)| coding)
    }

    /// `body` without this coding. A body of no bytes at all stays one.
    async fn off(self, mut body: Reader<'_>) -> io::Result<Reader<'_>> {
        let mut start = Vec::with_capacity(2);
        (&mut body).take(2).read_to_end(&mut start).await?;
        if start.is_empty() {
            return Ok(body);
        }
        let is_zlib = is_zlib(&start);
        let body = Turns::new(Box::pin(Cursor::new(start).chain(body)));
        Ok(match self {
            Self::Gzip => {
                let mut decoder = GzipDecoder::new(body);
                decoder.multiple_members(true);
                buffered(decoder)
            }
            Self::Deflate if is_zlib => buffered(ZlibDecoder::new(body)),
            Self::Deflate => buffered(DeflateDecoder::new(body)),
            Self::Brotli => buffered(BrotliDecoder::new(body)),
            Self::Zstd => {
                let window = DParameter::window_log_max(ZSTD_WINDOW_LOG);
                let mut decoder = ZstdDecoder::with_params(body, &[window]);
                // One frame or more (RFC 8878, section 3), as gzip has members.
                decoder.multiple_members(true);
                buffered(decoder)
            }
        })
    }
}

/// By the check bits of its two first bytes (RFC 1950). Some servers send `deflate` without this wrapping.
fn is_zlib(start: &[u8]) -> bool {
    match start {
        [first, second, ..] => first & 0x0f == 8 && (u16::from(*first) << 8 | u16::from(*second)) % 31 == 0,
        _ => true,
    }
}

fn buffered<'s>(decoder: impl AsyncRead + 's) -> Reader<'s> {
    Box::pin(BufReader::with_capacity(BLOCK, decoder))
}

/// Encoded data that pauses now and then. A decoder goes on for as long as there is input and no output, so that members of
/// nothing, one after the other, would keep the thread, and no timeout would be heard.
struct Turns<'s> {
    encoded: Reader<'s>,
    left: usize,
}

impl<'s> Turns<'s> {
    fn new(encoded: Reader<'s>) -> Self {
        Self { encoded, left: TURN }
    }
}

impl AsyncBufRead for Turns<'_> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        if this.left == 0 {
            this.left = TURN;
            // It wakes us once the timers have been looked at; to wake ourselves would be too early.
            let _ = pin!(tokio::task::yield_now()).poll(cx);
            return Poll::Pending;
        }
        let left = this.left;
        // A decoder takes all that it is shown before it asks again.
        let shown = this.encoded.as_mut().poll_fill_buf(cx);
        shown.map_ok(|data| &data[..data.len().min(left)])
    }

    fn consume(self: Pin<&mut Self>, count: usize) {
        let this = self.get_mut();
        this.left = this.left.saturating_sub(count);
        this.encoded.as_mut().consume(count);
    }
}

impl AsyncRead for Turns<'_> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.get_mut().encoded.as_mut().poll_read(cx, out)
    }
}

/// Hands the decoded `body` to `take`, piece by piece, until that says false.
pub(super) async fn decode<S>(
    mut body: Pin<&mut S>,
    codings: &[Coding],
    mut take: impl FnMut(&[u8]) -> bool,
) -> io::Result<()>
where
    S: Stream<Item = io::Result<Bytes>>,
{
    if read(body.as_mut(), codings, &mut take).await? {
        return Ok(());
    }
    // A decoder stops where its data ends. Whether the body came whole is known only behind that.
    body.next().await.map_or(Ok(()), |behind| behind.map(drop))
}

/// Whether `take` wants no more.
async fn read(
    body: impl Stream<Item = io::Result<Bytes>>,
    codings: &[Coding],
    take: &mut impl FnMut(&[u8]) -> bool,
) -> io::Result<bool> {
    let mut reader: Reader<'_> = Box::pin(StreamReader::new(body));
    for coding in codings.iter().rev() {
        reader = coding.off(reader).await?;
    }
    let mut block = vec![0; BLOCK];
    loop {
        let count = reader.read(&mut block).await?;
        if count == 0 {
            return Ok(false);
        }
        if !take(&block[..count]) {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use async_compression::tokio::write::{
        BrotliEncoder, DeflateEncoder, GzipEncoder, ZlibEncoder, ZstdEncoder,
    };
    use tokio::io::AsyncWriteExt as _;

    use super::*;
    use crate::clock::Clock;

    macro_rules! encoded {
        ($encoder:ident, $data:expr) => {{
            let mut encoder = $encoder::new(Vec::new());
            encoder.write_all($data).await.unwrap();
            encoder.shutdown().await.unwrap();
            encoder.into_inner()
        }};
    }

    /// What comes of `bytes`, in pieces of `size`, of which the first `most` are wanted.
    async fn decoded(bytes: &[u8], codings: &[Coding], size: usize, most: usize) -> io::Result<Vec<u8>> {
        let pieces: Vec<_> = bytes.chunks(size).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let mut out = Vec::new();
        let body = pin!(futures_util::stream::iter(pieces));
        decode(body, codings, |data| {
            out.extend_from_slice(data);
            out.len() < most
        })
        .await?;
        Ok(out)
    }

    async fn whole(bytes: &[u8], coding: Coding) -> io::Result<Vec<u8>> {
        decoded(bytes, &[coding], usize::MAX, usize::MAX).await
    }

    #[actix_rt::test]
    async fn every_coding_is_taken_off_in_whatever_pieces_it_comes() {
        let text = b"all is well, and will be ".repeat(1000);
        for (coding, bytes) in [
            (Coding::Gzip, encoded!(GzipEncoder, &text)),
            (Coding::Deflate, encoded!(ZlibEncoder, &text)),
            (Coding::Deflate, encoded!(DeflateEncoder, &text)),
            (Coding::Brotli, encoded!(BrotliEncoder, &text)),
            (Coding::Zstd, encoded!(ZstdEncoder, &text)),
        ] {
            for size in [1, 7, 100_000] {
                let decoded = decoded(&bytes, &[coding], size, usize::MAX).await.unwrap();

                assert_eq!(decoded, text, "{coding:?} in pieces of {size}");
            }
            let cut = &bytes[..bytes.len() - 3];
            assert!(whole(cut, coding).await.is_err(), "{coding:?}, cut");
        }
    }

    #[actix_rt::test]
    async fn codings_on_top_of_each_other_are_taken_off_from_the_last() {
        let inner = encoded!(GzipEncoder, b"hello");
        let outer = encoded!(BrotliEncoder, &inner);

        let decoded = decoded(&outer, &[Coding::Gzip, Coding::Brotli], 2, usize::MAX).await.unwrap();

        assert_eq!(decoded, b"hello");
    }

    #[actix_rt::test]
    async fn a_body_may_be_encoded_in_several_parts() {
        let zstd = [encoded!(ZstdEncoder, b"hello "), encoded!(ZstdEncoder, b"world")].concat();
        let gzip = [encoded!(GzipEncoder, b"hello "), encoded!(GzipEncoder, b"world")].concat();

        assert_eq!(whole(&zstd, Coding::Zstd).await.unwrap(), b"hello world");
        assert_eq!(whole(&gzip, Coding::Gzip).await.unwrap(), b"hello world");
    }

    #[actix_rt::test]
    async fn what_follows_the_encoded_parts_is_no_part_of_the_body() {
        let zstd = [encoded!(ZstdEncoder, b"hello"), b"noise".to_vec()].concat();

        assert!(whole(&zstd, Coding::Zstd).await.is_err());
    }

    #[actix_rt::test]
    async fn nothing_stays_nothing() {
        assert_eq!(whole(b"", Coding::Gzip).await.unwrap(), b"");
    }

    #[actix_rt::test]
    async fn no_more_of_a_bomb_is_made_than_somebody_wants() {
        let bomb = encoded!(GzipEncoder, &vec![0; 100_000_000]);
        assert!(bomb.len() < 200_000);

        let decoded = decoded(&bomb, &[Coding::Gzip], 1000, 50_000).await.unwrap();

        assert!(decoded.len() < 50_000 + BLOCK, "{}", decoded.len());
    }

    #[actix_rt::test]
    async fn a_body_that_decodes_to_nothing_for_ever_can_be_given_up() {
        let members = encoded!(GzipEncoder, b"").repeat(1000);
        let frames = encoded!(ZstdEncoder, b"").repeat(1000);
        let nested = encoded!(GzipEncoder, &members);
        for (codings, piece) in [
            (&[Coding::Gzip][..], members),
            (&[Coding::Zstd], frames),
            (&[Coding::Gzip, Coding::Gzip], nested),
        ] {
            let body = pin!(futures_util::stream::repeat_with(|| Ok(Bytes::from(piece.clone()))));
            let endless = decode(body, codings, |_| true);

            let began = Clock::instant();
            let ended = tokio::time::timeout(Duration::from_millis(50), endless).await;

            assert!(ended.is_err(), "{codings:?}: {ended:?}");
            assert!(began.elapsed() < Duration::from_millis(500), "{codings:?}: {:?}", began.elapsed());
        }
    }
}

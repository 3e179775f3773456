//! Encodings of text (collections.md, "Files"): a byte-order mark decides; else valid UTF-8 is UTF-8; else the file is Windows-1252, in which
//! five bytes mean nothing.

use crate::error::Error;
use encoding_rs::{Decoder, DecoderResult, UTF_16BE, UTF_16LE, WINDOWS_1252};
use memchr::{memchr_iter, memchr2, memchr3};
use std::io::{self, Read};

/// How the text of a file is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, as it is without a mark: as long as no byte says otherwise.
    Utf8,
    /// UTF-8 with a mark.
    Utf8Marked,
    /// UTF-16, the low byte first.
    Utf16Le,
    /// UTF-16, the high byte first.
    Utf16Be,
    /// Windows-1252.
    Windows1252,
}

impl Encoding {
    /// What a mark at the beginning says, and its length.
    fn of_mark(start: &[u8]) -> Option<(Encoding, usize)> {
        match start {
            [0xEF, 0xBB, 0xBF, ..] => Some((Encoding::Utf8Marked, 3)),
            [0xFF, 0xFE, ..] => Some((Encoding::Utf16Le, 2)),
            [0xFE, 0xFF, ..] => Some((Encoding::Utf16Be, 2)),
            _ => None,
        }
    }

    fn decoder(self) -> Option<Decoder> {
        let encoding = match self {
            Encoding::Utf8 | Encoding::Utf8Marked => return None,
            Encoding::Utf16Le => UTF_16LE,
            Encoding::Utf16Be => UTF_16BE,
            Encoding::Windows1252 => WINDOWS_1252,
        };
        Some(encoding.new_decoder_without_bom_handling())
    }

    /// The name of an encoding that is worth telling of.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Encoding::Utf8 | Encoding::Utf8Marked => None,
            Encoding::Utf16Le | Encoding::Utf16Be => Some("UTF-16"),
            Encoding::Windows1252 => Some("Windows-1252"),
        }
    }
}

/// Bytes decoded at a time.
const BLOCK: usize = 64 << 10;

/// Text as UTF-8 without a mark. What is taken for UTF-8 passes through unread: whoever uses it looks whether it is.
pub struct Utf8<R> {
    input: R,
    name: String,
    encoding: Encoding,
    decoder: Option<Decoder>,
    /// The first bytes, until they are read.
    start: Vec<u8>,
    raw: Vec<u8>,
    text: Vec<u8>,
    at: usize,
    place: Place,
    ended: bool,
}

impl<R: Read> Utf8<R> {
    /// Text in the encoding that its mark says, else `unmarked`. `name` is the file's name in messages.
    pub fn new(mut input: R, name: &str, unmarked: Encoding) -> io::Result<Utf8<R>> {
        let mut start = Vec::new();
        (&mut input).take(3).read_to_end(&mut start)?;
        let (encoding, mark) = Encoding::of_mark(&start).unwrap_or((unmarked, 0));
        start.drain(..mark);
        let (decoder, name) = (encoding.decoder(), name.to_string());
        let (raw, text, place) = (Vec::new(), Vec::new(), Place::default());
        Ok(Utf8 { input, name, encoding, decoder, start, raw, text, at: 0, place, ended: false })
    }

    /// The encoding that was found.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// What it reads from.
    pub fn into_input(self) -> R {
        self.input
    }

    /// Decodes the next block into `text`.
    fn fill(&mut self) -> io::Result<()> {
        self.raw.clear();
        self.raw.append(&mut self.start);
        let read = (&mut self.input).take(BLOCK as u64).read_to_end(&mut self.raw)?;
        self.ended = read < BLOCK;
        if self.encoding == Encoding::Windows1252 {
            self.refuse_undefined()?;
        }
        (self.at, self.text) = (0, std::mem::take(&mut self.text));
        self.text.clear();
        let Some(decoder) = &mut self.decoder else { return Ok(()) };
        self.text.resize(decoder.max_utf8_buffer_length_without_replacement(self.raw.len()).unwrap_or(4 * BLOCK), 0);
        let (result, _, written) = decoder.decode_to_utf8_without_replacement(&self.raw, &mut self.text, self.ended);
        self.text.truncate(written);
        self.place.pass(if self.encoding == Encoding::Windows1252 { &self.raw } else { &self.text });
        match result {
            DecoderResult::InputEmpty => Ok(()),
            _ => {
                let (line, name) = (self.place.line, &self.name);
                let what = format!(
                    "{name}: line {line}: half a character of UTF-16; the file is cut off or damaged: hand it over again, or save it as CSV UTF-8"
                );
                Err(io::Error::other(Error::Data(what)))
            }
        }
    }

    fn refuse_undefined(&mut self) -> io::Result<()> {
        let Some(at) = [memchr3(0x81, 0x8D, 0x8F, &self.raw), memchr2(0x90, 0x9D, &self.raw)].into_iter().flatten().min() else {
            return Ok(());
        };
        self.place.pass(&self.raw[..at]);
        let (Place { line, column, .. }, byte) = (&self.place, self.raw[at]);
        let what = format!(
            "{}: line {line}, byte {column} of the line: 0x{byte:02X} is neither UTF-8 nor Windows-1252, and the file has no byte-order mark; \
             save it as CSV UTF-8",
            self.name
        );
        Err(io::Error::other(Error::Data(what)))
    }
}

impl<R: Read> Read for Utf8<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.decoder.is_none() {
            if self.start.is_empty() {
                return self.input.read(buffer);
            }
            let n = self.start.len().min(buffer.len());
            buffer[..n].copy_from_slice(&self.start[..n]);
            self.start.drain(..n);
            return Ok(n);
        }
        while self.at == self.text.len() && !self.ended {
            self.fill()?;
        }
        let n = buffer.len().min(self.text.len() - self.at);
        buffer[..n].copy_from_slice(&self.text[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

/// Where reading stands, as a text editor counts: lines end with LF, CR or CRLF.
#[derive(Debug, Clone)]
struct Place {
    line: u64,
    /// The next byte's place in its line, from 1 on.
    column: u64,
    after_cr: bool,
}

impl Default for Place {
    fn default() -> Self {
        Place { line: 1, column: 1, after_cr: false }
    }
}

impl Place {
    fn pass(&mut self, text: &[u8]) {
        for &byte in text {
            match byte {
                b'\n' if self.after_cr => {}
                b'\n' | b'\r' => (self.line, self.column) = (self.line + 1, 1),
                _ => self.column += 1,
            }
            self.after_cr = byte == b'\r';
        }
    }
}

/// Makes every line end with a line feed, with a carriage return before it or not: a carriage return alone becomes one.
/// `from` is what was done before; `more` tells whether text follows, which may begin with the line feed of a last carriage return.
pub fn end_lines(text: &mut [u8], from: usize, more: bool) {
    let from = from.saturating_sub(1);
    let mut alone = Vec::new();
    for at in memchr_iter(b'\r', &text[from..]).map(|at| from + at) {
        match text.get(at + 1) {
            Some(b'\n') => {}
            None if more => {}
            _ => alone.push(at),
        }
    }
    alone.into_iter().for_each(|at| text[at] = b'\n');
}

/// Whether all of a text is UTF-8.
pub fn is_utf8(mut input: impl Read) -> io::Result<bool> {
    let (mut block, mut kept) = (vec![0; BLOCK], 0);
    loop {
        let read = input.read(&mut block[kept..])?;
        let text = &block[..kept + read];
        match std::str::from_utf8(text) {
            Ok(_) => kept = 0,
            // A character may go on in the next block.
            Err(e) if e.error_len().is_none() && read > 0 => {
                let valid = e.valid_up_to();
                kept = text.len() - valid;
                block.copy_within(valid..valid + kept, 0);
            }
            Err(_) => return Ok(false),
        }
        if read == 0 {
            return Ok(true);
        }
    }
}

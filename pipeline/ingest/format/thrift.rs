//! Walks over a structure of Thrift's compact protocol (of which the headers of Parquet are made) before a library reads it: what says that it has
//! more members than there are bytes would keep the library busy for hours. Each member takes a byte at least, so a walk takes no more steps than
//! that. The library reads a member that it knows as what it must be, whatever the structure says that it is, and would be somewhere else from there
//! on: so members that are known must be what they are known as.

use super::super::limit::THRIFT_DEPTH;
use std::io::{self, Error, ErrorKind, Read};

/// What a member must be.
#[derive(Debug, Clone, Copy)]
pub enum Known {
    /// True or false.
    Truth,
    /// A byte.
    Byte,
    /// A whole number; its size does not show.
    Number,
    /// Bytes that are in memory at once.
    Bytes,
    /// A floating-point number.
    Double,
    /// A text or other bytes.
    Text,
    /// A list of such.
    List(&'static Known),
    /// A structure with these members by number; others may be in it.
    Members(&'static [(u16, Known)]),
}

impl Known {
    /// Whether a kind of Thrift's is that.
    fn is(self, kind: u8) -> bool {
        match self {
            Known::Truth => matches!(kind, 1 | 2),
            Known::Byte => kind == 3,
            Known::Number | Known::Bytes => matches!(kind, 4..=6),
            Known::Double => kind == 7,
            Known::Text => kind == 8,
            Known::List(_) => matches!(kind, 9 | 10),
            Known::Members(_) => kind == 12,
        }
    }
}

/// Passes over the structure that `input` begins with, which takes at most `most` bytes; an error if it is none, or not as it is known. Gives the
/// [`Known::Bytes`] in it.
pub fn walk(input: impl Read, most: u64, known: Known) -> io::Result<u64> {
    let mut walker = Walker { input, left: most, bytes: 0 };
    walker.members(0, Some(known)).map(|()| walker.bytes)
}

struct Walker<R> {
    input: R,
    left: u64,
    bytes: u64,
}

fn wrong(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

impl<R: Read> Walker<R> {
    fn byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.take(1)?;
        self.input.read_exact(&mut byte)?;
        Ok(byte[0])
    }

    fn take(&mut self, bytes: u64) -> io::Result<()> {
        self.left = self.left.checked_sub(bytes).ok_or_else(|| wrong("a header says that it is longer than it can be"))?;
        Ok(())
    }

    fn pass(&mut self, bytes: u64) -> io::Result<()> {
        self.take(bytes)?;
        let passed = io::copy(&mut (&mut self.input).take(bytes), &mut io::sink())?;
        if passed == bytes { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) }
    }

    fn number(&mut self) -> io::Result<u64> {
        let mut number = 0;
        for place in 0..10 {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7F).unbounded_shl(7 * place);
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(wrong("a number in a header has no end"))
    }

    /// The members of a structure, each with its kind before it.
    fn members(&mut self, depth: usize, known: Option<Known>) -> io::Result<()> {
        let known = if let Some(Known::Members(known)) = known { known } else { &[] };
        let mut id: u16 = 0;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Ok(());
            }
            id = match head >> 4 {
                // Its number follows; positive ones are even there.
                0 => Some(self.number()?).filter(|n| n % 2 == 0).and_then(|n| u16::try_from(n / 2).ok()),
                more => id.checked_add(u16::from(more)),
            }
            .filter(|id| *id <= i16::MAX as u16)
            .ok_or_else(|| wrong("a header has a member with a number that none can have"))?;
            let known = known.iter().find(|(of, _)| *of == id).map(|(_, known)| *known);
            if known.is_some_and(|known| !known.is(head & 0xF)) {
                return Err(wrong("a header has a member that is not of the kind that it must be"));
            }
            // A truth value is told by its kind.
            if !matches!(head & 0xF, 1 | 2) {
                self.value(head & 0xF, depth, known)?;
            }
        }
    }

    fn value(&mut self, kind: u8, depth: usize, known: Option<Known>) -> io::Result<()> {
        if depth > THRIFT_DEPTH {
            return Err(wrong("a header has structures too deep within each other"));
        }
        match kind {
            3 => self.pass(1),
            4..=6 => {
                let number = self.number()?;
                // Positive ones are even; the library refuses others.
                if matches!(known, Some(Known::Bytes)) && number.is_multiple_of(2) {
                    self.bytes = self.bytes.saturating_add(number / 2);
                }
                Ok(())
            }
            7 => self.pass(8),
            8 => self.number().and_then(|bytes| self.pass(bytes)),
            9 | 10 => self.list(depth, known),
            11 => match self.number()? {
                0 => Ok(()),
                count => {
                    let kinds = self.byte()?;
                    let mut both = || self.value(kinds >> 4, depth + 1, None).and_then(|()| self.value(kinds & 0xF, depth + 1, None));
                    (0..count).try_for_each(|_| both())
                }
            },
            12 => self.members(depth + 1, known),
            13 => self.pass(16),
            // Lists of truth values are in no header that is read.
            _ => Err(wrong("a header has a member of no known kind")),
        }
    }

    fn list(&mut self, depth: usize, known: Option<Known>) -> io::Result<()> {
        let head = self.byte()?;
        let count = if head >> 4 == 15 { self.number()? } else { u64::from(head >> 4) };
        let known = if let Some(Known::List(known)) = known { Some(*known) } else { None };
        // An empty list may say anything of what it does not have.
        if count > 0 && known.is_some_and(|known| !known.is(head & 0xF)) {
            return Err(wrong("a header has a list whose members are not of the kind that they must be"));
        }
        (0..self.count(count)?).try_for_each(|_| self.value(head & 0xF, depth + 1, known))
    }

    /// So many members of a list: no more than there are bytes.
    fn count(&self, count: u64) -> io::Result<u64> {
        if count <= self.left { Ok(count) } else { Err(wrong("a header says that a list is longer than it can be")) }
    }
}

//! Reads a JSON text (RFC 8259) and gives each value that is no object or list, under a name that leads to it: `a.b`, and `a.0` in a list.
//! Numbers keep their digits: none goes through a float.

use super::super::limit::JSON_DEPTH;
use super::notes::Fault;
use std::borrow::Cow;

/// A value that is no object or list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// null.
    Null,
    /// true or false.
    Boolean(bool),
    /// A number as it is written.
    Number(&'a str),
    /// A text.
    Text(Cow<'a, str>),
}

/// Gives each value of a JSON object with its name, in the order of the text. What `give` says ends the reading.
pub fn flatten<'a>(text: &'a str, give: &mut dyn FnMut(&str, Value<'a>) -> Result<(), Fault>) -> Result<(), Fault> {
    let mut parser = Parser { text, at: 0, name: String::new(), give };
    parser.skip();
    let object = parser.peek() == Some(b'{');
    let (read, mut ignore) = (if object { parser.value(0) } else { Ok(()) }, |_: &str, _| Ok(()));
    if !object {
        parser.give = &mut ignore;
        parser.value(0)?;
    }
    read?;
    parser.skip();
    match parser.peek() {
        Some(_) => Err(Fault::NoJson),
        None if object => Ok(()),
        None => Err(Fault::NoObject),
    }
}

struct Parser<'a, 'g> {
    text: &'a str,
    at: usize,
    /// The name of where reading stands.
    name: String,
    give: &'g mut dyn FnMut(&str, Value<'a>) -> Result<(), Fault>,
}

impl<'a> Parser<'a, '_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        self.skip();
        if self.peek() != Some(byte) {
            return Err(Fault::NoJson);
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<(), Fault> {
        self.skip();
        if depth > JSON_DEPTH {
            return Err(Fault::TooDeep);
        }
        let value = match self.peek() {
            Some(b'{') => return self.members(depth, b'}'),
            Some(b'[') => return self.members(depth, b']'),
            Some(b'"') => Value::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => Value::Number(self.number()?),
            _ => self.word()?,
        };
        (self.give)(&self.name, value)
    }

    /// The members of an object, or of a list, up to what closes it.
    fn members(&mut self, depth: usize, close: u8) -> Result<(), Fault> {
        let before = self.name.len();
        self.at += 1;
        self.skip();
        if self.peek() == Some(close) {
            self.at += 1;
            return Ok(());
        }
        for place in 0.. {
            self.skip();
            if before > 0 || depth > 0 {
                self.name.push('.');
            }
            if close == b']' {
                self.name.push_str(&place.to_string());
            } else {
                let name = self.string()?;
                self.name.push_str(&name);
                self.expect(b':')?;
            }
            self.value(depth + 1)?;
            self.name.truncate(before);
            self.skip();
            if self.peek() == Some(close) {
                self.at += 1;
                break;
            }
            self.expect(b',')?;
        }
        Ok(())
    }

    fn word(&mut self) -> Result<Value<'a>, Fault> {
        let words = [("null", Value::Null), ("true", Value::Boolean(true)), ("false", Value::Boolean(false))];
        let rest = self.text.get(self.at..).unwrap_or_default();
        let (word, value) = words.into_iter().find(|(word, _)| rest.starts_with(word)).ok_or(Fault::NoJson)?;
        self.at += word.len();
        Ok(value)
    }

    fn number(&mut self) -> Result<&'a str, Fault> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(&self.text[start..self.at])
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(Fault::NoJson) }
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        if self.peek() != Some(b'"') {
            return Err(Fault::NoJson);
        }
        self.at += 1;
        let mut whole: Option<String> = None;
        loop {
            let (start, text) = (self.at, self.text);
            while self.peek().is_some_and(|b| b >= b' ' && b != b'"' && b != b'\\') {
                self.at += 1;
            }
            let piece = &text[start..self.at];
            match (self.peek(), &mut whole) {
                (Some(b'"'), None) => {
                    self.at += 1;
                    return Ok(Cow::Borrowed(piece));
                }
                (Some(b'"'), Some(whole)) => {
                    self.at += 1;
                    whole.push_str(piece);
                    return Ok(Cow::Owned(std::mem::take(whole)));
                }
                (Some(b'\\'), _) => {
                    self.at += 1;
                    let character = self.escape()?;
                    let whole = whole.get_or_insert_default();
                    whole.push_str(piece);
                    whole.push(character);
                }
                _ => return Err(Fault::NoJson),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Fault> {
        let byte = self.peek().ok_or(Fault::NoJson)?;
        self.at += 1;
        Ok(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.unit()?;
                let pair = (0xD800..0xDC00).contains(&first) && self.text[self.at..].starts_with("\\u");
                let units = if pair {
                    self.at += 2;
                    vec![first, self.unit()?]
                } else {
                    vec![first]
                };
                match &char::decode_utf16(units).collect::<Vec<_>>()[..] {
                    [Ok(character)] => *character,
                    _ => return Err(Fault::NoJson),
                }
            }
            _ => return Err(Fault::NoJson),
        })
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Result<u16, Fault> {
        let digits = self.text.get(self.at..self.at + 4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit())).ok_or(Fault::NoJson)?;
        self.at += 4;
        u16::from_str_radix(digits, 16).map_err(|_| Fault::NoJson)
    }
}

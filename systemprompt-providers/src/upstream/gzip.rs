use bytes::{Buf as _, Bytes};
use flate2::{Crc, Decompress, FlushDecompress, Status};

/// Most bytes that are decoded at a time: a small piece may stand for a thousand times as much.
const PIECE: usize = 32 * 1024;

/// Most bytes of the head of a member, with its name and comment.
const MOST_HEADER: usize = 128 * 1024;

/// Decodes gzip (RFC 1952) as it comes in, in pieces of bounded size. `flate2` has readers and writers
/// for this; neither gives back what is there so far when its input comes in pieces, which a stream of
/// events needs.
pub(super) struct Gunzip {
    input: Bytes,
    phase: Phase,
    inflate: Decompress,
    crc: Crc,
    out: Box<[u8]>,
    /// Whether the last piece was full, so that more may be ready without further input.
    full: bool,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// A member, or the end.
    Start,
    Header {
        part: Part,
        flags: u8,
        read: usize,
    },
    Body,
    /// CRC-32 and length, least byte first.
    Trailer {
        read: u32,
        value: u64,
    },
}

/// What comes next of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The ten bytes that each header has, of which so many are read.
    Fixed(u8),
    ExtraLength {
        read: u8,
        length: usize,
    },
    Extra(usize),
    Text,
    Crc(u8),
}

const HEADER_CRC: u8 = 2;
const EXTRA: u8 = 4;
const NAME: u8 = 8;
const COMMENT: u8 = 16;
const RESERVED: u8 = 0xe0;

/// What came is no gzip, or does not have the digest it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadGzip;

impl Gunzip {
    pub(super) fn new() -> Self {
        Self {
            input: Bytes::new(),
            phase: Phase::Start,
            inflate: Decompress::new(false),
            crc: Crc::new(),
            out: vec![0; PIECE].into_boxed_slice(),
            full: false,
        }
    }

    /// Takes the next bytes, after [`pull`](Self::pull) has given all there was.
    pub(super) fn push(&mut self, input: Bytes) {
        self.input = input;
    }

    /// Whether the input may end here.
    pub(super) fn may_end(&self) -> bool {
        self.phase == Phase::Start
    }

    /// The next decoded bytes; `None` until more input comes.
    pub(super) fn pull(&mut self) -> Result<Option<Bytes>, BadGzip> {
        loop {
            if self.phase == Phase::Body {
                if self.input.is_empty() && !self.full {
                    return Ok(None);
                }
                let piece = self.inflate()?;
                if !piece.is_empty() {
                    return Ok(Some(piece));
                }
            } else if self.input.is_empty() {
                return Ok(None);
            } else {
                let byte = self.input.get_u8();
                self.frame(byte)?;
            }
        }
    }

    fn inflate(&mut self) -> Result<Bytes, BadGzip> {
        let (read, written) = (self.inflate.total_in(), self.inflate.total_out());
        let status = self
            .inflate
            .decompress(&self.input, &mut self.out, FlushDecompress::None)
            .map_err(|_| BadGzip)?;
        let taken = usize::try_from(self.inflate.total_in() - read).map_err(|_| BadGzip)?;
        let made = usize::try_from(self.inflate.total_out() - written).map_err(|_| BadGzip)?;
        let stuck = taken == 0 && made == 0 && !self.input.is_empty();
        self.input.advance(taken.min(self.input.len()));
        let piece = self.out.get(..made).ok_or(BadGzip)?;
        self.crc.update(piece);
        self.full = made == self.out.len();
        if status == Status::StreamEnd {
            self.full = false;
            self.phase = Phase::Trailer { read: 0, value: 0 };
        } else if stuck {
            return Err(BadGzip);
        }
        Ok(Bytes::copy_from_slice(piece))
    }

    /// Reads a byte of a header or of a trailer.
    fn frame(&mut self, byte: u8) -> Result<(), BadGzip> {
        self.phase = match self.phase {
            Phase::Start => header(Part::Fixed(0), 0, 0, byte)?,
            Phase::Header { read, .. } if read >= MOST_HEADER => return Err(BadGzip),
            Phase::Header { part, flags, read } => header(part, flags, read, byte)?,
            Phase::Body => Phase::Body,
            Phase::Trailer { read, value } => {
                let value = value | u64::from(byte) << (8 * read);
                if read < 7 { Phase::Trailer { read: read + 1, value } } else { self.end(value)? }
            }
        };
        Ok(())
    }

    /// The end of a member. Another one may follow (RFC 1952, section 2.2).
    fn end(&mut self, trailer: u64) -> Result<Phase, BadGzip> {
        let said = u64::from(self.crc.sum()) | u64::from(self.crc.amount()) << 32;
        if said != trailer {
            return Err(BadGzip);
        }
        self.crc.reset();
        self.inflate.reset(false);
        Ok(Phase::Start)
    }
}

/// What follows after `byte`, of a header of which `read` bytes came before.
fn header(part: Part, flags: u8, read: usize, byte: u8) -> Result<Phase, BadGzip> {
    let on = |part, flags| Ok(Phase::Header { part, flags, read: read + 1 });
    match part {
        Part::Fixed(at) => {
            let flags = match (at, byte) {
                (0, 0x1f) | (1, 0x8b) | (2, 8) => 0,
                (0..=2, _) => return Err(BadGzip),
                (3, flags) if flags & RESERVED != 0 => return Err(BadGzip),
                (3, flags) => flags,
                _ => flags,
            };
            if at < 9 { on(Part::Fixed(at + 1), flags) } else { Ok(after_part(flags, read)) }
        }
        Part::ExtraLength { read: 0, .. } => {
            on(Part::ExtraLength { read: 1, length: usize::from(byte) }, flags)
        }
        Part::ExtraLength { length, .. } => match length | usize::from(byte) << 8 {
            0 => Ok(after_part(flags, read)),
            length => on(Part::Extra(length), flags),
        },
        Part::Extra(left) if left > 1 => on(Part::Extra(left - 1), flags),
        Part::Text if byte != 0 => on(Part::Text, flags),
        Part::Crc(left) if left > 1 => on(Part::Crc(left - 1), flags),
        Part::Extra(_) | Part::Text | Part::Crc(_) => Ok(after_part(flags, read)),
    }
}

/// The next part that `flags` tell of, or the body.
fn after_part(flags: u8, read: usize) -> Phase {
    let parts = [
        (EXTRA, Part::ExtraLength { read: 0, length: 0 }),
        (NAME, Part::Text),
        (COMMENT, Part::Text),
        (HEADER_CRC, Part::Crc(2)),
    ];
    match parts.into_iter().find(|(flag, _)| flags & flag != 0) {
        Some((flag, part)) => Phase::Header { part, flags: flags & !flag, read: read + 1 },
        None => Phase::Body,
    }
}

#[cfg(test)]
mod tests;

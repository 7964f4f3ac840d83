//! UTF-16 of UTF-8, for every processor.

/// Writes UTF-8 as UTF-16: how many units that takes; `None` where the bytes are no UTF-8.
pub fn utf16_of_utf8(bytes: &[u8], to: &mut [u16]) -> Option<usize> {
    let (mut at, mut from) = (0, 0);
    while from < bytes.len() {
        let (character, taken) = first(&bytes[from..])?;
        at += put(character, &mut to[at..]);
        from += taken;
    }
    Some(at)
}

/// Writes a character: how many units it takes.
#[inline]
pub fn put(character: char, to: &mut [u16]) -> usize {
    character.encode_utf16(to).len()
}

/// The first character and its bytes (RFC 3629, section 4); `None` where there is none.
#[inline]
pub fn first(bytes: &[u8]) -> Option<(char, usize)> {
    let lead = *bytes.first()?;
    let length = match lead {
        0..0x80 => return Some((char::from(lead), 1)),
        0xc2..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0..0xf5 => 4,
        _ => return None,
    };
    let mut point = u32::from(lead) & 0x7f >> length;
    for byte in bytes.get(1..length)? {
        if byte & 0xc0 != 0x80 {
            return None;
        }
        point = point << 6 | u32::from(byte & 0x3f);
    }
    // Shorter forms are not allowed.
    let least = [0x80, 0x800, 0x10000][length - 2];
    char::from_u32(point).filter(|_| point >= least).map(|character| (character, length))
}

//! The offsets of pointers in values of a type: a value for another process must not point to memory that it does not
//! have.

/// The values that a type's pointers lead to are looked at as well, but no more of them than this for one argument.
const MOST_POINTEES: usize = 64;
/// The bytes of an argument that are looked at: a call must not take longer because a Buffer is large.
pub const MOST_BYTES: usize = 1 << 16;

/// A type that holds pointers.
#[derive(Debug)]
struct Shape {
    size: usize,
    /// The offset of each pointer, and the type of its target if that holds pointers as well.
    pointers: Vec<(usize, Option<usize>)>,
}

/// The types that the arguments of a function are of or point to.
#[derive(Debug, Default)]
pub struct PointerShapes {
    shapes: Vec<Shape>,
    /// By argument: the type of its value, or of the value that it points to.
    arguments: Vec<Option<usize>>,
}

/// The index behind a number, for which 0 is none.
fn index(number: u32, count: usize) -> Option<usize> {
    (number as usize).checked_sub(1).filter(|index| *index < count)
}

impl PointerShapes {
    /// Reads the form of lib/call/pointer-shapes.js: for each type its size, the number of its pointers, and for each
    /// of these its offset and its type, counted from 1; and for each argument its type. `None` where that is none.
    pub fn decode(words: &[u32], arguments: &[u32]) -> Option<Self> {
        let (mut shapes, mut rest) = (Vec::new(), words);
        while let [size, count, tail @ ..] = rest {
            let (pairs, next) = tail.split_at_checked(*count as usize * 2)?;
            shapes.push((*size as usize, pairs));
            rest = next;
        }
        let count = shapes.len();
        let shape_of = |(size, pairs): (usize, &[u32])| {
            let pointers: Vec<_> =
                pairs.chunks_exact(2).map(|pair| (pair[0] as usize, index(pair[1], count))).collect();
            pointers.iter().all(|(at, _)| at + size_of::<usize>() <= size).then_some(Shape { size, pointers })
        };
        let shapes = shapes.into_iter().map(shape_of).collect::<Option<Vec<_>>>()?;
        Some(Self { shapes, arguments: arguments.iter().map(|number| index(*number, count)).collect() })
    }

    /// The type of an argument.
    pub fn of_argument(&self, argument: usize) -> Option<usize> {
        self.arguments.get(argument).copied().flatten()
    }

    /// The first pointer in the values of a type that `is_wrong`. `read` copies memory that pointers lead to, where
    /// that may be looked at.
    pub fn find(
        &self,
        shape: usize,
        values: &[u8],
        is_wrong: impl Fn(usize) -> bool,
        read: impl Fn(usize, usize) -> Option<Vec<u8>>,
    ) -> Option<usize> {
        let mut pending = Vec::new();
        let values = &values[..values.len().min(MOST_BYTES)];
        if let Some(wrong) = self.find_in(shape, values, &is_wrong, &mut pending) {
            return Some(wrong);
        }
        for _ in 0..MOST_POINTEES {
            let (address, target) = pending.pop()?;
            let Some(value) = read(address, self.shapes[target].size) else { continue };
            if let Some(wrong) = self.find_in(target, &value, &is_wrong, &mut pending) {
                return Some(wrong);
            }
        }
        None
    }

    /// The same for the values alone. Adds the pointers to values that hold pointers, and their types, to `pending`.
    fn find_in(
        &self,
        shape: usize,
        values: &[u8],
        is_wrong: impl Fn(usize) -> bool,
        pending: &mut Vec<(usize, usize)>,
    ) -> Option<usize> {
        let Shape { size, pointers } = &self.shapes[shape];
        for value in values.chunks_exact((*size).max(1)) {
            for (at, target) in pointers {
                let Some(word) = value.get(*at..).and_then(|tail| tail.first_chunk()) else { continue };
                let address = usize::from_ne_bytes(*word);
                if address == 0 {
                    continue;
                }
                if is_wrong(address) {
                    return Some(address);
                }
                pending.extend(target.map(|target| (address, target)));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_are_found_in_values_and_behind_them() {
        // A list: { value, next }.
        let shapes = PointerShapes::decode(&[16, 1, 8, 1], &[0, 1]).unwrap();
        assert_eq!((shapes.of_argument(0), shapes.of_argument(1), shapes.of_argument(2)), (None, Some(0), None));
        let value = |next: usize| [0usize.to_ne_bytes(), next.to_ne_bytes()].concat();
        let read = |address, size| (address == 0x1000 && size == 16).then(|| value(0x2000));
        let find = |first, wrong| shapes.find(0, &value(first), |address| address == wrong, read);
        assert_eq!(find(0x1000, 0x2000), Some(0x2000));
        assert_eq!(find(0x1000, 0x1000), Some(0x1000));
        assert_eq!(find(0x1000, 0x3000), None);
        assert_eq!(find(0, 0), None);
        // One that leads to itself ends.
        assert_eq!(shapes.find(0, &value(1), |_| false, |_, _| Some(value(1))), None);
    }

    #[test]
    fn nonsense_is_refused() {
        for words in [&[16, 1, 8][..], &[8, 1, 4, 0], &[8, 9, 0, 0]] {
            assert!(PointerShapes::decode(words, &[]).is_none());
        }
        assert_eq!(PointerShapes::decode(&[], &[7]).unwrap().of_argument(0), None);
    }
}

//! The registry of blocks and the index of given addresses, against plain sets.
#![no_main]

use std::collections::{BTreeMap, BTreeSet};

use arbitrary::Arbitrary;
use core_of_pinned_ffi::memory::address::Address;
use core_of_pinned_ffi::memory::fence::{block_map, exposed};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Step {
    Insert(u8, u16),
    Free(u8, u16),
    Ask(u64),
    Give(u8, u16, u8),
    Forget(u8, u16),
    Find(u8, u16, u8),
    All,
}

/// Addresses at every end of the registry's tables; a table that was made stays, so there are few of them.
fn at(region: u8, granule: u16) -> Address {
    let base = [1usize << 20, (1 << 20) * 2, 0x7fff_fff0_0000, 0x5555_5560_0000][usize::from(region) % 4];
    Address::new(base + usize::from(granule) * 16).expect("not 0")
}

fuzz_target!(|steps: Vec<Step>| {
    let mut known = BTreeSet::new();
    let mut lengths = BTreeMap::new();
    for step in &steps {
        match *step {
            Step::Insert(region, granule) => {
                let data = at(region, granule);
                assert!(block_map::fits(data));
                block_map::insert(data);
                known.insert(data.get());
                assert!(block_map::contains(data));
            }
            Step::Free(region, granule) => {
                let data = at(region, granule);
                assert_eq!(block_map::begin_free(data).is_some(), known.remove(&data.get()));
            }
            Step::Ask(address) => {
                let Some(data) = Address::new(address as usize) else { continue };
                assert_eq!(block_map::contains(data), known.contains(&data.get()));
            }
            Step::Give(region, granule, length) => {
                exposed::insert(at(region, granule), length.into());
                lengths.insert(at(region, granule).get(), usize::from(length));
            }
            Step::Forget(region, granule) => {
                exposed::remove(at(region, granule));
                lengths.remove(&at(region, granule).get());
            }
            Step::Find(region, granule, more) => {
                let address = Address::new(at(region, granule).get() + usize::from(more)).expect("not 0");
                let found = exposed::with(address, |data, length| (data.get(), length));
                let before = lengths.range(..=address.get()).next_back();
                let expected = before.filter(|(data, length)| address.get() - **data <= **length);
                assert_eq!(found, expected.map(|(data, length)| (*data, *length)));
            }
            Step::All => {
                let mut all = BTreeSet::new();
                block_map::for_each(|data| assert!(all.insert(data.get())));
                assert_eq!(all, known);
            }
        }
    }
    for data in known {
        assert!(block_map::begin_free(Address::new(data).expect("not 0")).is_some());
    }
    for data in lengths.into_keys() {
        exposed::remove(Address::new(data).expect("not 0"));
    }
});

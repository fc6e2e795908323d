//! Device cards: keys to which no box can be sealed are refused.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use core::convert::Infallible;

use alliance_crypto::{DeviceSecret, RecoverySecret, verify_card};
use alliance_wire::BoxKey;
use alliance_wire::membership::{CardFor, RecoveryCard};
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem};
use rand_core::{TryCryptoRng, TryRng};

/// The prime of Curve25519, little-endian: 2^255 - 19.
const P: [u8; 32] = {
    let mut prime = [0xff; 32];
    (prime[0], prime[31]) = (0xed, 0x7f);
    prime
};

/// A number as a coordinate is written, in hexadecimal.
fn key(hex: &str) -> [u8; 32] {
    core::array::from_fn(|n| u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).unwrap())
}

/// The coordinates of points whose order divides eight, on the curve and its twist, in every form that fits in 32
/// bytes: as they are, plus the prime where that is below 2^255, and each with the bit that X25519 ignores.
fn small_order() -> Vec<[u8; 32]> {
    let small = |number: u8| core::array::from_fn(|n| if n == 0 { number } else { 0 });
    let below_prime = |number: u8| core::array::from_fn(|n| if n == 0 { P[0] - number } else { P[n] });
    let above_prime = |number: u8| core::array::from_fn(|n| if n == 0 { P[0] + number } else { P[n] });
    let mut forms = vec![
        small(0),
        small(1),
        key("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
        key("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
        below_prime(1),
        above_prime(0),
        above_prime(1),
    ];
    let ignored = |mut form: [u8; 32]| {
        form[31] |= 0x80;
        form
    };
    forms.extend(forms.clone().into_iter().map(ignored));
    forms
}

/// Not random at all: enough to see whether sealing succeeds.
struct Same;

impl TryRng for Same {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(7)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(7)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.fill(7);
        Ok(())
    }
}

impl TryCryptoRng for Same {}

/// Whether a box can be sealed to the key, by trying.
fn seals(boxes: [u8; 32]) -> bool {
    let public = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&boxes).unwrap();
    X25519HkdfSha256::encap_with_rng(&public, None, &mut Same).is_ok()
}

#[test]
fn a_card_names_no_key_that_every_epoch_would_fail_for() {
    let device = DeviceSecret::from_seed([1; 32]);
    let place = CardFor::First { random: [2; 16] };
    let good = RecoverySecret::from_seed([3; 32]).card();
    let verified = |recovery: RecoveryCard| verify_card(&place, &device.card(&place, &recovery), &recovery);
    let with = |boxes| RecoveryCard { boxes: BoxKey(boxes), ..good };

    let refused = small_order();
    for form in &refused {
        assert!(verified(with(*form)).is_err(), "{form:02x?}");
        assert!(!seals(*form), "the control: no box can be sealed to it");
    }
    // The control: other keys, on the curve and on its twist alike, are taken and boxes can be sealed to them.
    for n in 2..=201 {
        let key = *blake3::hash(&[n]).as_bytes();
        assert_eq!((verified(with(key)), seals(key)), (Ok(()), true), "{n}");
    }
    println!("{} forms refused", refused.len());
}

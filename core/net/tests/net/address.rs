//! Connect strings and admission tokens as text.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use alliance_net::{AdmissionToken, ArmorError, RelayAddress, RelayAddressError, TokenError};
use alliance_wire::membership::Admission;
use alliance_wire::{DeviceKey, SpaceId};

const WORD: &str = "alliance-relay:";

fn relay(address: &str) -> Result<RelayAddress, RelayAddressError> {
    RelayAddress::new(DeviceKey([7; 32]), address)
}

#[test]
fn a_connect_string_comes_back_as_it_was() {
    for address in ["127.0.0.1:4433", "[::1]:1", "relay.example.org:65535", "a-b_c:80"] {
        let relay = relay(address).unwrap();
        let text = relay.to_string();
        assert!(text.starts_with(WORD), "{text}");
        for form in [text.clone(), text.to_uppercase(), format!("  {text}\n")] {
            assert_eq!(form.parse::<RelayAddress>().unwrap(), relay, "{form}");
        }
        assert_eq!((relay.address(), relay.key()), (address, DeviceKey([7; 32])));
    }
    // The form does not change unseen: people keep it on paper. The digits of the first 35 bytes, made by another tool.
    let text = relay("h:7").unwrap().to_string();
    assert!(text.starts_with("alliance-relay:aedqobyha4dqobyha4dqobyha4dqobyha4dqobyha4dqobyha4dqo2b2"), "{text}");
}

#[test]
fn an_address_is_a_host_and_a_port() {
    let long = format!("{}:1", "h".repeat(255));
    for bad in
        ["", "host", ":1", "host:", "host:0", "host:65536", "host:+1", "::1:5", "[::1:5", "[x]:5", "a b:5", &long]
    {
        assert_eq!(relay(bad), Err(RelayAddressError::Address), "{bad}");
    }
    // The control: the longest that fits.
    relay(&format!("{}:1", "h".repeat(254))).unwrap();
}

#[test]
fn a_damaged_connect_string_says_what_is_wrong_with_it() {
    let good = relay("127.0.0.1:4433").unwrap().to_string();
    let parse = |text: &str| text.parse::<RelayAddress>().unwrap_err();
    let other = ArmorError::OtherKind { expected: WORD };
    for text in ["", "alliance-token:aaaa", "alliance-rela", &good[1..], "é"] {
        assert_eq!(parse(text), other.clone().into(), "{text}");
    }
    assert_eq!(parse("alliance-relay:aa1a"), ArmorError::Character('1').into());
    assert_eq!(parse("alliance-relay:"), ArmorError::Damaged.into());
    assert_eq!(parse(&format!("{WORD}{}", "a".repeat(3_000))), ArmorError::Damaged.into());
    // Every single slip is noticed: each character replaced by its neighbour in the alphabet, each left out.
    for at in WORD.len()..good.len() {
        let slip = if &good[at..=at] == "a" { "b" } else { "a" };
        for text in [format!("{}{slip}{}", &good[..at], &good[at + 1..]), format!("{}{}", &good[..at], &good[at + 1..])]
        {
            assert_eq!(parse(&text), ArmorError::Damaged.into(), "{text}");
        }
    }
    good.parse::<RelayAddress>().unwrap();
}

#[test]
fn a_token_admits_one_space_at_a_time() {
    let token = AdmissionToken::generate(&[9; 40]);
    let text = token.to_text();
    assert_eq!(text.parse::<AdmissionToken>().unwrap(), token);
    assert!(!format!("{token:?}").contains("9, 9"), "the secret is not shown");
    let (one, other) = (SpaceId([1; 16]), SpaceId([2; 16]));
    assert_eq!(token.admission(one), Admission { token: [9; 8], mac: Admission::mac(&[9; 32], one) });
    assert_ne!(token.admission(one).mac, token.admission(other).mac);
    let relay = relay("h:1").unwrap().to_string();
    assert!(matches!(relay.parse::<AdmissionToken>(), Err(TokenError::Text(ArmorError::OtherKind { .. }))));
}

//! `pin.json`: a store's key under a PIN and for the recovery words.

use alliance_crypto::{PinWrap, RecoverySecret, UnwrapError, check_new_pin, open_by_words};
use serde_json::Value;

use super::{array, bytes, cases, file, text};

fn wrap(case: &Value) -> PinWrap {
    let encoded = bytes(&case["wrap"]);
    let wrap: PinWrap = alliance_wire::decode(&encoded).unwrap();
    assert_eq!(alliance_wire::encode(&wrap), encoded);
    wrap
}

fn secret(case: &Value) -> Option<[u8; 32]> {
    case["secret"].as_str().map(|_| array(&case["secret"]))
}

#[test]
fn pins_open_what_they_should() {
    let vectors = file("pin.json");
    let (key, place) = (array::<32>(&vectors["key"]), array::<16>(&vectors["place"]));
    for case in cases(&vectors, "wraps") {
        let (wrap, secret) = (wrap(case), secret(case));
        assert_eq!(wrap.needs_secret(), secret.is_some());
        assert_eq!(*wrap.open((text(&case["typed"]), secret.as_ref()), &place).unwrap(), key, "{}", case["what"]);
    }
    for case in cases(&vectors, "must_fail") {
        let (wrap, secret, place) = (wrap(case), secret(case), array(&case["place"]));
        let error = wrap.open((text(&case["pin"]), secret.as_ref()), &place).unwrap_err();
        let missing = wrap.needs_secret() && secret.is_none();
        assert_eq!(error, if missing { UnwrapError::SecretMissing } else { UnwrapError::Wrong }, "{}", case["what"]);
    }
}

#[test]
fn the_words_open_what_they_should() {
    let vectors = file("pin.json");
    let (words, place) = (&vectors["words"], array::<16>(&vectors["place"]));
    let sealed = bytes(&words["sealed"]);
    let recovery = RecoverySecret::from_seed(array(&words["recovery_seed"]));
    assert_eq!(*open_by_words(&recovery, &place, &sealed).unwrap(), array::<32>(&vectors["key"]));
    assert!(open_by_words(&RecoverySecret::from_seed([3; 32]), &place, &sealed).is_none());
    assert!(open_by_words(&recovery, &[0; 16], &sealed).is_none());
    assert!(open_by_words(&recovery, &place, &sealed[1..]).is_none());
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(open_by_words(&recovery, &place, &changed).is_none(), "at {at}");
    }
}

#[test]
fn guessable_pins_are_refused() {
    let choice = &file("pin.json")["choice"];
    for pin in cases(choice, "taken") {
        assert_eq!(check_new_pin(text(pin)), Ok(()), "{pin}");
    }
    for case in cases(choice, "refused") {
        let error = check_new_pin(text(&case["pin"])).unwrap_err();
        assert_eq!(format!("{error:?}"), text(&case["error"]), "{}", case["pin"]);
    }
    // Most PINs can be chosen: what is refused is what somebody tries who has five tries, not half of all.
    let taken = (0..10_000).filter(|pin| check_new_pin(&format!("{pin:04}")).is_ok()).count();
    assert!((9_000..9_400).contains(&taken), "{taken} of 10,000");
}

//! `pin.json`: a store's key under a PIN and for the recovery words, and which PINs may be chosen.

use alliance_crypto::{
    Cost, DeviceSecret, HelpSecret, HelpWrap, PinWrap, RecoverySecret, Secret, check_new_pin, seal_for_words,
};
use serde_json::{Value, json};

use super::hex;

const PLACE: [u8; 16] = [0x61; 16];
const KEY: [u8; 32] = [0x62; 32];
const SALT: [u8; 16] = [0x63; 16];
const RANDOM: [u8; 32] = [0x64; 32];
const SECRET: [u8; 32] = [0x65; 32];

pub(crate) fn pin() -> Value {
    let wrap = |pin: &str, secret: Option<&[u8; 32]>, cost: Cost| {
        let wrap = PinWrap::seal(&KEY, (pin, secret), &PLACE, cost, (SALT, RANDOM)).expect("a PIN");
        hex(&alliance_wire::encode(&wrap))
    };
    let case = |what: &str, (pin, typed): (&str, &str), secret: Option<&[u8; 32]>, cost: Cost| {
        json!({
            "what": what, "pin": pin, "typed": typed, "secret": secret.map(|secret| hex(secret)),
            "memory_kib": cost.memory_kib(), "passes": cost.passes(), "wrap": wrap(pin, secret, cost),
        })
    };
    let fail = |what: &str, pin: &str, secret: Option<&[u8; 32]>, place: &[u8; 16], wrap: String| json!({ "what": what, "pin": pin, "secret": secret.map(|secret| hex(secret)), "place": hex(place), "wrap": wrap });
    let plain = wrap("5309", None, Cost::TEST);
    let with_secret = wrap("5309", Some(&SECRET), Cost::TEST);
    let recovery = RecoverySecret::from_seed([2; 32]);
    let sealed = seal_for_words(&recovery.card(), &PLACE, &KEY, RANDOM).expect("a box key");
    json!({
        "about": "A store's random key (PROTOCOL section 2): under a PIN, with and without a caller's secret, and for the recovery words. Which PINs may be chosen.",
        "key": hex(&KEY), "place": hex(&PLACE), "salt": hex(&SALT), "random": hex(&RANDOM),
        "wraps": [
            case("four digits", ("5309", "5309"), None, Cost::TEST),
            case("a caller's secret besides", ("5309", "5309"), Some(&SECRET), Cost::TEST),
            case("typed in Arabic digits", ("5309", "٥٣٠٩"), None, Cost::TEST),
            case("a sentence, at the cost that programs take", ("the goat eats früh", "the goat eats früh"), None, Cost::DEFAULT),
        ],
        "must_fail": [
            fail("another PIN", "5308", None, &PLACE, plain.clone()),
            fail("beside another store", "5309", None, &[0x66; 16], plain.clone()),
            fail("without the caller's secret", "5309", None, &PLACE, with_secret.clone()),
            fail("another caller's secret", "5309", Some(&[0x67; 32]), &PLACE, with_secret.clone()),
            fail("a secret that is said not to be needed", "5309", None, &PLACE, said_plain(&with_secret)),
        ],
        "words": {
            "recovery_seed": hex(&[2; 32]), "recovery_signer": hex(&recovery.signer_key().0), "sealed": hex(&sealed),
        },
        "help": help(),
        "choice": {
            "taken": taken(),
            "refused": refused(),
        },
    })
}

/// The wrap with its flag turned: the record's fourth element, before a byte string of 73.
fn said_plain(wrap: &str) -> String {
    let plain = wrap.replacen("f55849", "f45849", 1);
    assert_ne!(plain, wrap);
    plain
}

/// A wrap for two devices of a helper, a request of its asker, and the answer of the second device.
fn help() -> Value {
    let (asker, helpers) = (HelpSecret::from_seed([5; 32]), [3, 4].map(|seed| DeviceSecret::from_seed([seed; 32])));
    let listed = helpers.each_ref().map(|helper| (helper.key(), helper.box_key()));
    let (own, theirs) = ([0x68; 32], [0x69; 32]);
    let wrap = HelpWrap::seal(&KEY, &PLACE, &listed, (own, &theirs.into()), RANDOM).expect("box keys");
    let request = wrap.ask(&PLACE, &asker);
    let answer = request.answer(&helpers[1], RANDOM).expect("a helper");
    assert_eq!(wrap.open(&PLACE, &asker, &answer), Ok((KEY.into(), helpers[1].key())));
    json!({
        "about": "The key under two shares: the wrap beside the store, what is shown to the helper, what the helper's second device answers.",
        "own": hex(&own), "theirs": hex(&theirs), "helper_seeds": [hex(&[3; 32]), hex(&[4; 32])], "asker_seed": hex(&[5; 32]),
        "wrap": hex(&alliance_wire::encode(&wrap)), "request": hex(&alliance_wire::encode(&request)),
        "answer": hex(&alliance_wire::encode(&answer)),
    })
}

fn taken() -> Vec<&'static str> {
    let pins = vec![
        "5309",
        "0417",
        "8052",
        "2041",
        "1899",
        "194807",
        "52917",
        "730195826401",
        "7301958264017",
        "goat-7-kitchen",
        "zwölf Ziegen",
        "١٧٠٤",
        "የፍየል ወተት 7",
    ];
    assert!(pins.iter().all(|pin| check_new_pin(pin).is_ok()));
    pins
}

fn refused() -> Vec<Value> {
    let pins = [
        "",
        "12",
        "530",
        "kitchen",
        "0000",
        "7777",
        "1234",
        "4321",
        "3210",
        "7890",
        "0987",
        "8901",
        "1212",
        "1221",
        "1122",
        "2580",
        "1985",
        "2026",
        "000000",
        "123456",
        "654321",
        "123123",
        "121212",
        "112233",
        "123456789",
        "1234567890",
        "Password",
        "aaaaaaaa",
        "abababab",
        "abcdefgh",
        "hgfedcba",
        "alliance",
        "١٢٣٤",
        "۰۰۰۰",
        "१२३४५६",
    ];
    let case = |pin: &str| {
        let error = check_new_pin(pin).expect_err("a PIN that must be refused");
        json!({ "pin": pin, "error": format!("{error:?}") })
    };
    pins.into_iter().map(case).collect()
}

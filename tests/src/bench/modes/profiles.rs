//! Several people on one device: how long a switch takes, and what guessing a PIN costs whoever copied the folder.

use std::path::Path;
use std::time::Instant;

use alliance_client::{Client, NewProfile, NewSpace, Options, ProfileId, Profiles};
use alliance_crypto::{Cost, PinWrap};
use alliance_model::DocumentKind;
use serde_json::{Map, Value, json};

use super::Bench;
use crate::bench::clock::cpu_seconds;
use crate::people::insert;

/// Guesses that are timed: each takes what the others take.
const GUESSES: usize = 5;
/// Lengths of PINs of digits for which a guesser's days are told.
const DIGITS: [i32; 5] = [4, 6, 8, 10, 12];
/// Rows of the first page.
const ROWS: u64 = 50;

impl Bench {
    /// Two profiles with a note each, at the cost that programs take; the device goes from one to the other.
    pub(super) async fn profiles(&self, folder: &Path) -> Value {
        let profiles = Profiles::new(&folder.join("profiles"), Options::default());
        let people = [("Amina", "5309"), ("Ben", "7150")];
        let mut ids = Vec::new();
        for (name, pin) in people {
            let new = NewProfile { nickname: Some(name), name, pin, words: None };
            let (id, client, _) = profiles.add(new).await.expect("a profile");
            let space = client.create_space("Mine", NewSpace::Personal).await.expect("a space").space;
            let note = client.create_document(space, DocumentKind::Note).await.expect("a note");
            client.command(note, None, insert(0, "What happened today.")).await.expect("the text fits");
            client.close().await.expect("it closes");
            ids.push((id, pin));
        }
        let (mut unlock, mut switch) = (Vec::new(), Vec::new());
        let mut open = first_page(&profiles, &ids[0]).await;
        for n in 1..=self.count.min(20) {
            let next = &ids[n % ids.len()];
            let begun = Instant::now();
            open.close().await.expect("it closes");
            open = first_page(&profiles, next).await;
            switch.push(begun.elapsed().as_secs_f64());
            let begun = Instant::now();
            profiles.unlock(&next.0, next.1).await.expect("the PIN");
            unlock.push(begun.elapsed().as_secs_f64());
        }
        open.close().await.expect("it closes");
        json!({ "switch_s": seconds(&mut switch), "unlock_s": seconds(&mut unlock), "guess": guess() })
    }
}

/// Opens a profile as an app does: by its PIN, until the list is there.
async fn first_page(profiles: &Profiles, (id, pin): &(ProfileId, &str)) -> Client {
    let (client, _) = profiles.open(id, pin).await.expect("the PIN");
    let rows = client.documents(None, Some(DocumentKind::Note), None, 0, ROWS).await.expect("rows");
    assert_eq!(rows.len(), 1, "the other profile's notes are not here");
    client
}

fn seconds(times: &mut [f64]) -> Value {
    times.sort_by(f64::total_cmp);
    json!({ "n": times.len(), "p50": times.get(times.len() / 2), "max": times.last() })
}

/// What one guess costs one core of this machine, and how many days half of all PINs of a length take it.
fn guess() -> Value {
    let wrap = PinWrap::seal(&[1; 32], ("5309", None), &[2; 16], Cost::DEFAULT, ([3; 16], [4; 32])).expect("a PIN");
    let begun = cpu_seconds();
    for guess in 0..GUESSES {
        assert!(wrap.open((&format!("{guess:04}"), None), &[2; 16]).is_err());
    }
    let each = (cpu_seconds() - begun) / GUESSES as f64;
    let days = |digits: i32| 10_f64.powi(digits) / 2.0 * each / 86_400.0;
    let table: Map<String, Value> = DIGITS.iter().map(|digits| (digits.to_string(), json!(days(*digits)))).collect();
    json!({ "cpu_s": each, "days_of_one_core_by_digits": table })
}

//! Several people on one device: what opens a profile and what does not, waits that no clock shortens, a forgotten PIN,
//! a leaver.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod phone;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use alliance_client::{Client, Error, NewProfile, NewSpace, ProfileId, ProfileView, Profiles, SpaceId};
use alliance_model::DocumentKind;
use alliance_tests::people::{PASSPHRASE, Person, hear, insert, options};
use alliance_tests::relay::{self, Site};
use phone::Phone;

fn named<'a>(name: &'a str, pin: &'a str) -> NewProfile<'a> {
    NewProfile { nickname: Some(name), name, pin, words: None }
}

/// The code, and the first parameter's value.
fn said(error: &Error) -> (&'static str, String) {
    (error.code(), error.params().first().map(|(_, value)| value.clone()).unwrap_or_default())
}

async fn fails(profiles: &Profiles, id: &ProfileId, pin: &str) -> (&'static str, String) {
    said(&profiles.unlock(id, pin).await.unwrap_err())
}

async fn view(profiles: &Profiles, id: &ProfileId) -> ProfileView {
    let list = profiles.list().await.unwrap();
    list.into_iter().find(|view| view.id == id.to_string()).unwrap()
}

/// A space of her own, and a note in it that says this.
async fn writes(client: &Client, text: &str) -> SpaceId {
    let space = client.create_space("Mine", NewSpace::Personal).await.unwrap().space;
    let note = client.create_document(space, DocumentKind::Note).await.unwrap();
    client.command(note, None, insert(0, text)).await.unwrap();
    space
}

/// Every file of a folder and of those in it.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), fs::read(path).unwrap());
        }
    }
    found
}

/// The files in which a text stands.
fn holding(files: &BTreeMap<PathBuf, Vec<u8>>, text: &str) -> usize {
    files.values().filter(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes())).count()
}

#[tokio::test]
async fn nothing_of_one_profile_opens_anything_of_another() {
    let phone = Phone::new();
    let profiles = phone.profiles();
    let (amina, hers, _) = profiles.add(named("Amina on Mondays", "5309")).await.unwrap();
    let new = NewProfile { nickname: None, name: "Benjamin Ndlovu", pin: "7150", words: None };
    let (ben, his, _) = profiles.add(new).await.unwrap();
    writes(&hers, "The grandmother would not let me into the kitchen.").await;
    writes(&his, "I was afraid of the dog and said nothing.").await;
    let [keys, other] = [&hers, &his].map(Client::store_key);

    // Both are open at once, and neither finds the other's words.
    for (client, own, others) in [(&hers, "grandmother", "afraid"), (&his, "afraid", "grandmother")] {
        let hits = async |word| client.search(word, None, None, 0, 10).await.unwrap().hits.len();
        assert_eq!((hits(own).await, hits(others).await), (1, 0));
    }
    // Locking seals what can be sealed.
    let drafts = async |client: &Client| client.unsent().await.unwrap().iter().map(|one| one.drafts).sum::<u64>();
    assert_eq!(drafts(&his).await, 1);
    let exported = his.export(None).await.unwrap().to_string();
    hers.close().await.unwrap();
    his.close().await.unwrap();

    // All files, both people's: no words, no names but the nickname that was meant to be seen, no keys.
    let all = files(phone.folder.path());
    for text in ["grandmother", "afraid of the dog", "Benjamin Ndlovu", "Ndlovu", "Mine"] {
        assert_eq!(holding(&all, text), 0, "{text}");
    }
    for key in [&keys, &other] {
        assert!(!all.values().any(|bytes| bytes.windows(16).any(|window| *window == key.bytes()[..16])));
    }
    // The controls: the same look finds the nickname, in both copies, and the words where they are written in the open.
    assert_eq!(holding(&all, "Amina on Mondays"), 2);
    fs::write(phone.folder.path().join("export"), &exported).unwrap();
    assert_eq!(holding(&files(phone.folder.path()), "afraid of the dog"), 1);

    // Neither PIN nor key of one opens the other; each opens its own.
    assert_eq!(fails(&profiles, &ben, "5309").await, ("PIN_WRONG", "4".into()));
    let open_with = async |id: &ProfileId, key| Client::open_with(&profiles.store(id), key, options()).await;
    assert_eq!(open_with(&ben, &keys).await.unwrap_err().code(), "WRONG_PASSPHRASE");
    open_with(&ben, &other).await.unwrap().close().await.unwrap();
    let (client, wrong) = profiles.open(&ben, "7150").await.unwrap();
    assert_eq!((client.whoami().name.as_str(), wrong, drafts(&client).await), ("Benjamin Ndlovu", 1, 0));
    client.close().await.unwrap();
    // A passphrase is no way in, and no keyring is trusted with it.
    let passphrase = Client::open(&profiles.store(&amina), PASSPHRASE, options()).await.unwrap_err();
    assert_eq!(passphrase.code(), "WRONG_PASSPHRASE");
}

#[tokio::test]
async fn wrong_pins_wait_whatever_the_calendar_says() {
    let phone = Phone::new();
    let profiles = phone.profiles();
    let (amina, client, _) = profiles.add(named("Amina", "5309")).await.unwrap();
    client.close().await.unwrap();
    for left in ["4", "3", "2", "1"] {
        assert_eq!(fails(&profiles, &amina, "5308").await, ("PIN_WRONG", left.into()));
    }
    assert_eq!(fails(&profiles, &amina, "5308").await, ("PIN_WRONG", "60".into()));
    assert_eq!(view(&profiles, &amina).await.wait_seconds, 60);
    // The right one, in a program that was started anew, with the calendar years on and years back.
    phone.machine.passes(20_000);
    for wall in [0, 1_790_000_000_000, 9_000_000_000_000] {
        phone.machine.set(wall);
        assert_eq!(fails(&phone.profiles(), &amina, "5309").await, ("PIN_LOCKED", "40".into()));
    }
    // Asking did not make it longer. A restart does: it begins again.
    phone.machine.passes(30_000);
    assert_eq!(fails(&phone.profiles(), &amina, "5309").await, ("PIN_LOCKED", "10".into()));
    phone.machine.restarts();
    assert_eq!(fails(&phone.profiles(), &amina, "5309").await, ("PIN_LOCKED", "60".into()));
    phone.machine.passes(59_999);
    assert_eq!(fails(&phone.profiles(), &amina, "5309").await, ("PIN_LOCKED", "1".into()));
    phone.machine.passes(1);
    // One more wrong one costs five minutes, and nothing was lost by any of it.
    assert_eq!(fails(&profiles, &amina, "5308").await, ("PIN_WRONG", "300".into()));
    phone.machine.passes(300_000);
    let (client, wrong) = phone.profiles().open(&amina, "5309").await.unwrap();
    assert_eq!((client.whoami().name.as_str(), wrong), ("Amina", 6));
    client.close().await.unwrap();
    // From then on there are five again. What is no PIN at all is not counted.
    for nothing in ["", &"5".repeat(2_000)] {
        assert_eq!(fails(&profiles, &amina, nothing).await.0, "PIN_WRONG");
    }
    assert_eq!(fails(&profiles, &amina, "5308").await, ("PIN_WRONG", "4".into()));
    // The control: an older count is more guesses, which is why a copy of the folder is worth what the PIN is worth.
    let file = profiles.store(&amina).join("store.tries");
    let older = fs::read(&file).unwrap();
    for _ in 0..4 {
        fails(&profiles, &amina, "5308").await;
    }
    assert_eq!(fails(&profiles, &amina, "5309").await.0, "PIN_LOCKED");
    fs::write(&file, older).unwrap();
    assert_eq!(profiles.unlock(&amina, "5309").await.unwrap().wrong, 1);
}

#[tokio::test]
async fn a_forgotten_pin_is_replaced_by_the_words() {
    let phone = Phone::new();
    let profiles = phone.profiles();
    // Known words: of random ones every sixteenth pair that is swapped still fits its checksum.
    let known = "consider fortune diagram clock vague enter chunk erupt erode final little toward";
    let new = NewProfile { words: Some(known), ..named("Amina", "5309") };
    let (amina, client, words) = profiles.add(new).await.unwrap();
    writes(&client, "What she wrote before.").await;
    client.close().await.unwrap();
    let (ben, client, his) = profiles.add(named("Ben", "7150")).await.unwrap();
    client.close().await.unwrap();
    for _ in 0..5 {
        fails(&profiles, &amina, "0815").await;
    }
    let before = files(&profiles.store(&amina));
    let reset = async |words: &str, pin: &str| profiles.reset_pin(&amina, words, pin).await;
    let swapped = {
        let mut words = words.words();
        words.swap(0, 1);
        words.join(" ")
    };
    for (words, pin, code) in [
        (his.to_string(), "4826", "WORDS_WRONG"),
        (swapped, "4826", "BAD_RECOVERY_WORDS"),
        ("kitchen".into(), "4826", "BAD_RECOVERY_WORDS"),
        (words.to_string(), "1234", "PIN_WEAK"),
    ] {
        assert_eq!(reset(&words, pin).await.unwrap_err().code(), code);
        assert_eq!(files(&profiles.store(&amina)), before, "{code}: nothing was changed");
    }
    // The right ones, in capitals, without waiting for the end of the minute and without anybody's help.
    assert_eq!(fails(&profiles, &amina, "5309").await.0, "PIN_LOCKED");
    reset(&words.to_string().to_uppercase(), "4826").await.unwrap();
    assert_eq!(fails(&profiles, &amina, "5309").await.0, "PIN_WRONG");
    let (client, _) = profiles.open(&amina, "4826").await.unwrap();
    assert_eq!(client.search("before", None, None, 0, 10).await.unwrap().hits.len(), 1);
    client.close().await.unwrap();
    // Somebody who knows the PIN changes it without the words.
    assert_eq!(said(&profiles.change_pin(&amina, "5309", "9274").await.unwrap_err()).0, "PIN_WRONG");
    assert_eq!(said(&profiles.change_pin(&amina, "4826", "4444").await.unwrap_err()).0, "PIN_WEAK");
    profiles.change_pin(&amina, "4826", "a goat in the kitchen").await.unwrap();
    assert_eq!(fails(&profiles, &amina, "4826").await.0, "PIN_WRONG");
    profiles.unlock(&amina, "a goat in the kitchen").await.unwrap();
    profiles.unlock(&ben, "7150").await.unwrap();
}

#[tokio::test]
async fn without_the_callers_secret_a_pin_opens_nothing() {
    let phone = Phone::new();
    let profiles = phone.profiles().with_secret([7; 32]);
    assert!(!format!("{profiles:?}").contains("7, 7"));
    let (amina, client, words) = profiles.add(named("Amina", "5309")).await.unwrap();
    client.close().await.unwrap();
    assert!(view(&phone.profiles(), &amina).await.needs_secret);
    for _ in 0..7 {
        assert_eq!(fails(&phone.profiles(), &amina, "5309").await.0, "PIN_SECRET_MISSING", "it is not counted");
    }
    assert_eq!(fails(&phone.profiles().with_secret([8; 32]), &amina, "5309").await, ("PIN_WRONG", "4".into()));
    // The control: with it the PIN opens.
    assert_eq!(profiles.unlock(&amina, "5309").await.unwrap().wrong, 1);
    // A phone whose hardware forgot it: the words set a PIN that needs none.
    phone.profiles().reset_pin(&amina, &words.to_string(), "4826").await.unwrap();
    assert!(!view(&profiles, &amina).await.needs_secret);
    phone.profiles().unlock(&amina, "4826").await.unwrap();
    profiles.unlock(&amina, "4826").await.unwrap();
}

#[tokio::test]
async fn a_leaver_takes_nothing_away_that_is_nowhere_else() {
    relay::watched(async {
        let site = Site::start(relay::open).await;
        let phone = Phone::new();
        let profiles = phone.profiles();
        let (amina, client, _) = profiles.add(named("Amina", "5309")).await.unwrap();
        let (ben, other, _) = profiles.add(named("Ben", "7150")).await.unwrap();
        // Nothing was written: nothing can be lost.
        let (chidi, empty, _) = profiles.add(named("Chidi", "4826")).await.unwrap();
        profiles.remove(&chidi, &empty, false).await.unwrap();
        assert_eq!(profiles.find("Chidi").await.unwrap_err().code(), "UNKNOWN_PROFILE");

        client.add_relay(&site.address().to_string(), None).await.unwrap();
        let space = writes(&client, "Only here.").await;
        let refused = profiles.remove(&amina, &client, false).await.unwrap_err();
        assert_eq!(refused.code(), "PROFILE_UNSENT");
        let numbers: BTreeMap<String, String> = refused.params().into_iter().collect();
        assert_eq!((numbers["drafts"].as_str(), numbers["spaces"].as_str()), ("1", "1"), "{numbers:?}");
        // Refused is not closed. The wrong profile's client removes nothing either.
        assert_eq!(profiles.remove(&ben, &client, true).await.unwrap_err().code(), "UNKNOWN_PROFILE");
        client.sync_once(hear).await.unwrap();
        assert_eq!(client.unsent().await.unwrap(), []);
        // What was sent may go; the draft of a moment ago may not, unless it is said that it may.
        writes(&client, "Written after the sync.").await;
        assert_eq!(profiles.remove(&amina, &client, false).await.unwrap_err().code(), "PROFILE_UNSENT");
        let lost = profiles.remove(&amina, &client, true).await.unwrap();
        let named: Vec<_> = lost.iter().map(|one| (one.title.as_str(), one.drafts, one.space == space)).collect();
        assert_eq!(named, [("Mine", 1, false)]);
        assert!(lost[0].unsent > 0, "its membership was not sent either: {lost:?}");
        assert!(!profiles.store(&amina).exists());

        // Ben's is as it was, open meanwhile.
        writes(&other, "Ben goes on.").await;
        other.close().await.unwrap();
        let list = profiles.list().await.unwrap();
        assert_eq!(list.iter().map(|view| view.nickname.as_deref()).collect::<Vec<_>>(), [Some("Ben")]);
        profiles.open(&ben, "7150").await.unwrap().0.close().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn profiles_are_named_by_nickname_or_digits() {
    let phone = Phone::new();
    let profiles = phone.profiles();
    assert_eq!(profiles.list().await.unwrap(), []);
    let (amina, ..) = profiles.add(named("Amina", "5309")).await.unwrap();
    for (new, code) in [
        (named("Amina", "5309"), "PROFILE_EXISTS"),
        (named(" Amina ", "5309"), "PROFILE_EXISTS"),
        (named("Ben", "12"), "PIN_WEAK"),
        (named("", "5309"), "NAME_INVALID"),
        (NewProfile { nickname: None, ..named("\u{202e}", "5309") }, "NAME_INVALID"),
        (NewProfile { words: Some("kitchen"), ..named("Ben", "5309") }, "BAD_RECOVERY_WORDS"),
    ] {
        assert_eq!(profiles.add(new).await.map(|_| ()).unwrap_err().code(), code);
    }
    let (ben, ..) = profiles.add(NewProfile { nickname: None, ..named("Ben", "7150") }).await.unwrap();
    // A refused one leaves nothing behind.
    let mut there: Vec<String> = fs::read_dir(phone.folder.path().join("profiles"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    there.sort();
    let mut expected = vec![amina.to_string(), ben.to_string(), "profiles.lock".to_owned()];
    expected.sort();
    assert_eq!(there, expected);
    assert_eq!(profiles.find("Amina").await.unwrap(), amina);
    assert_eq!(profiles.find(&ben.to_string()[..8].to_uppercase()).await.unwrap(), ben);
    for nobody in ["Ben", "", "abc", "no such digits", &ben.to_string()[..3]] {
        assert_eq!(profiles.find(nobody).await.unwrap_err().code(), "UNKNOWN_PROFILE", "{nobody}");
    }
    profiles.choose(Some(&ben)).await.unwrap();
    assert!(view(&profiles, &ben).await.chosen && !view(&profiles, &amina).await.chosen);
    profiles.choose(None).await.unwrap();
    assert_eq!(profiles.chosen().await.unwrap(), None);
}

#[tokio::test]
async fn a_backup_of_a_profile_opens_by_the_words() {
    let phone = Phone::new();
    let profiles = phone.profiles();
    let (amina, client, words) = profiles.add(named("Amina", "5309")).await.unwrap();
    writes(&client, "What the backup has.").await;
    // A draft of a backup waits for the first contact.
    client.seal_all().await.unwrap();
    let file = phone.folder.path().join("backup");
    client.backup(&file).await.unwrap();
    client.close().await.unwrap();
    // It has neither the wrap nor the nickname; the control: it has the header, by which the words open it.
    let backup = BTreeMap::from([(file.clone(), fs::read(&file).unwrap())]);
    let own = fs::read(profiles.store(&amina).join("store.pin")).unwrap();
    assert_eq!((holding(&backup, "Amina"), holding(&backup, "alliance store pin")), (0, 0));
    assert_eq!(holding(&BTreeMap::from([(file.clone(), own)]), "Amina"), 1);
    assert_eq!(holding(&backup, "alliance store head"), 1);

    let elsewhere = Phone::new();
    let others = elsewhere.profiles();
    let restored = others.restore(&file, Some("Amina")).await.unwrap();
    assert_eq!(fails(&others, &restored, "5309").await.0, "PIN_ABSENT");
    assert!(!view(&others, &restored).await.has_pin);
    others.reset_pin(&restored, &words.to_string(), "4826").await.unwrap();
    let (client, _) = others.open(&restored, "4826").await.unwrap();
    assert_eq!(client.search("backup", None, None, 0, 10).await.unwrap().hits.len(), 1);
    client.close().await.unwrap();

    // Neither kind of backup is taken for the other, and a damaged one leaves no profile.
    let folder = elsewhere.folder.path().join("store");
    let refused = Client::restore(&folder, &file, PASSPHRASE, options()).await.unwrap_err();
    assert!(refused.code() == "WRONG_PASSPHRASE" && !folder.join("store.head").exists());
    let person = Person::new("Ben").await;
    let ordinary = person.beside("backup");
    person.client.backup(&ordinary).await.unwrap();
    let mut damaged = fs::read(&file).unwrap();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    let cut = elsewhere.folder.path().join("damaged");
    fs::write(&cut, damaged).unwrap();
    for bad in [&ordinary, &cut] {
        assert_eq!(others.restore(bad, Some("Ben")).await.unwrap_err().code(), "BACKUP_DAMAGED");
        assert_eq!(others.list().await.unwrap().len(), 1);
    }
    others.restore(&file, Some("Ben")).await.unwrap();
}

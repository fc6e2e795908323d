//! Further recovery words: what they open, what they cannot undo, and taking them back.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use alliance_client::{NewSpace, RecoveryWords};
use alliance_tests::people::{Met, Person, hear, let_in};
use alliance_tests::relay;

fn words(n: u8) -> String {
    RecoveryWords::generate([n; 32]).to_string()
}

/// Amina puts a second paper into her sister's house. It opens everything on a new phone; a space that she founded
/// later is missing until it is listed there too; it cannot put the first words out; the first words put it out, and
/// then it opens nothing.
#[tokio::test]
async fn further_words_open_everything_until_the_first_put_them_out() {
    relay::watched(async {
        let (met, first) = Met::over_a_note_with_words("Before. ").await;
        let amina = &met.amina.client;
        amina.set_up_home().await.unwrap();
        let second = words(2);
        assert_eq!(amina.add_words(&words(3), &second).await.unwrap_err().code(), "WORDS_OF_NOBODY");
        assert_eq!(amina.add_words(&first, &first).await.unwrap_err().code(), "ROLE_FORBIDS");
        assert_eq!(amina.add_words(&first, "one two").await.unwrap_err().code(), "BAD_RECOVERY_WORDS");
        assert_eq!(amina.words().await.unwrap().len(), 1, "nothing was listed by any of these");

        let added = amina.add_words(&first, &second).await.unwrap();
        assert_eq!((added.active.len(), added.out.len()), (2, 0), "the pair and the home");
        let later = amina.create_space("Later", NewSpace::Pair).await.unwrap().space;
        let_in(&met.amina, &met.ben, &[later]).await;
        let listed: Vec<_> = amina.words().await.unwrap().iter().map(|words| words.active.len()).collect();
        assert_eq!(listed, [3, 2], "the first words stand first, and in the new space too");
        met.amina.sync().await;

        let phone = Person::with_words("Amina", &second).await;
        phone.client.add_relay(&met.site.address().to_string(), None).await.unwrap();
        let laptop = [amina.whoami().device.to_string()];
        let back = phone.client.recover(&second, &laptop, hear).await.unwrap();
        assert_eq!(back.spaces, [met.space]);
        assert_eq!(back.missing, ["Later"]);
        assert_eq!(phone.text(met.note).await, "Before. ");
        // It is a device of hers: what she writes there reaches Ben as Amina's.
        phone.write(met.note, 0, "From the phone. ").await;
        phone.sync().await;
        met.ben.sync().await;
        assert_eq!(met.ben.text(met.note).await, "From the phone. Before. ");

        // The space that came later lists them too once that is said again.
        met.amina.sync().await;
        let again = amina.add_words(&first, &second).await.unwrap();
        assert_eq!(again.active.len(), 3);
        met.amina.sync().await;
        let back = phone.client.recover(&second, &laptop, hear).await.unwrap();
        assert_eq!((back.spaces.len(), back.missing.len()), (2, 0));

        // Younger words take nothing back from older ones.
        let oldest = amina.words().await.unwrap()[0].key.to_string();
        let refused = phone.client.withdraw_words(&oldest[..8], &second).await.unwrap_err();
        assert_eq!(refused.code(), "ROLE_FORBIDS");
        let out = amina.withdraw_words(&added.key.to_string()[..8], &first).await.unwrap();
        assert_eq!((out.active.len(), out.out.len()), (0, 3));
        amina.suspend_device(&phone.client.whoami().device.to_string()[..8]).await.unwrap();
        assert_eq!(met.amina.text(met.note).await, "From the phone. Before. ");
        met.amina.write(met.note, 0, "Without it. ").await;
        met.amina.sync().await;
        met.ben.sync().await;
        assert_eq!(met.ben.text(met.note).await, "Without it. From the phone. Before. ");

        let thief = Person::with_words("Amina", &second).await;
        thief.client.add_relay(&met.site.address().to_string(), None).await.unwrap();
        let nothing = thief.client.recover(&second, &[], hear).await.unwrap_err();
        assert_eq!(nothing.code(), "NOTHING_TO_RECOVER");
        assert!(thief.client.spaces().await.unwrap().is_empty());
        // The first words do, on the same way.
        let third = Person::with_words("Amina", &first).await;
        third.client.add_relay(&met.site.address().to_string(), None).await.unwrap();
        third.client.recover(&first, &laptop, hear).await.unwrap();
        assert_eq!(third.text(met.note).await, "Without it. From the phone. Before. ");
    })
    .await;
}

//! The story: a supervisee and a supervisor write apart, a relay carries it, both have everything; then a group does.

mod commands;
mod texts;

use std::path::Path;

use alliance_client::{DocumentId, NewSpace, Options, SpaceId, View, item_id};
use alliance_model::agreement::{CadenceUnit, ClauseSection, Modality, Term};
use alliance_model::note::Stage;
use alliance_model::{Command, DocumentKind, NoteCommand, Splice};

use super::Narrator;
use super::people::{Person, Tally, found};
use super::relay::Relay;
use super::search::{Found, search};
use crate::failure::{DeskCode, Failure};
use crate::output::text::{clean, count, grouped};
use crate::show;
use commands::{
    add_clause, edit_clause, edit_section, first_agreement, first_note, focus, insert_behind, same_view, section, term,
};

/// What the outcome needs to know.
pub(super) struct Told {
    pub(super) found: Vec<Found>,
    pub(super) searched: usize,
    pub(super) idle_bytes: u64,
}

/// The documents of the pair.
struct Pair {
    space: SpaceId,
    agreement: DocumentId,
    note: DocumentId,
}

/// Plays the story.
pub(super) async fn play(
    program: &Path,
    folder: &Path,
    options: Options,
    narrator: &mut Narrator,
) -> Result<Told, Failure> {
    narrator
        .say(
            "Alliance: people who write apart, and a relay that cannot read.\n\
             Everything below happens on this machine, with real stores and connections.\n",
        )
        .await;
    let relay_folder = folder.join("relay");
    std::fs::create_dir(&relay_folder)
        .map_err(|error| Failure::from(DeskCode::FileUnwritable).with("reason", error.kind()))?;
    let relay = Relay::start(program, &relay_folder).await?;
    let [amina, ben, chidi] = stores(folder, &relay.connect, options, narrator).await?;
    let (space, mut tally) = meet(&amina, &ben, narrator).await?;
    let pair = write_offline(&amina, &ben, space, &mut tally, narrator).await?;
    write_at_once(&amina, &ben, &pair, &mut tally, narrator).await?;
    same(&amina, &ben, &pair, narrator).await?;
    group(&[&ben, &amina, &chidi], &mut tally, narrator).await?;
    let idle_bytes = idle(&amina, narrator).await?;
    narrator.claim("every contact ended with both sides having the same, nothing refused", tally.odd.is_empty());
    for odd in &tally.odd {
        narrator.tell(odd).await;
    }
    let (found, searched) = relay_files(relay, program, &relay_folder, folder, &amina, narrator).await?;
    for person in [&amina, &ben, &chidi] {
        person.client.close().await?;
    }
    Ok(Told { found, searched, idle_bytes })
}

async fn stores(
    folder: &Path,
    connect: &str,
    options: Options,
    narrator: &mut Narrator,
) -> Result<[Person; 3], Failure> {
    narrator.heading(1, "Three people, three encrypted stores, one relay").await;
    let (amina, ben, chidi) = tokio::try_join!(
        Person::new("Amina", folder, connect, options),
        Person::new("Ben", folder, connect, options),
        Person::new("Chidi", folder, connect, options),
    )?;
    let slowest = [&amina, &ben, &chidi].iter().map(|person| person.millis).max().unwrap_or(0);
    narrator
        .tell(&format!(
            "Amina visits families at home, Ben is her supervisor, Chidi a colleague. Each makes a store ({} ms at most: \
             guessing a passphrase is meant to be slow) and gets twelve recovery words. A relay process listens on \
             this machine; it has no accounts and no keys.",
            grouped(slowest)
        ))
        .await;
    Ok([amina, ben, chidi])
}

async fn meet(amina: &Person, ben: &Person, narrator: &mut Narrator) -> Result<(SpaceId, Tally), Failure> {
    narrator.heading(2, "Amina invites Ben into a space for two").await;
    let mut tally = Tally::default();
    let (space, words) = found(amina, &[ben], texts::PAIR, NewSpace::Pair, &mut tally).await?;
    narrator
        .tell(&format!(
            "Amina gives Ben a text; Ben answers through the relay. Both now see the same four words, read them aloud and \
             know that nobody stands between: {}. Amina confirms, and the keys are sealed for Ben's device alone.",
            words.join(" ")
        ))
        .await;
    narrator.tell(&format!("{tally}.")).await;
    Ok((space, tally))
}

async fn write_offline(
    amina: &Person,
    ben: &Person,
    space: SpaceId,
    tally: &mut Tally,
    narrator: &mut Narrator,
) -> Result<Pair, Failure> {
    narrator.heading(3, "Amina writes on the bus, without a network").await;
    let agreement = amina.client.create_document(space, DocumentKind::Agreement).await?;
    amina.write(agreement, first_agreement()?).await?;
    let note = amina.client.create_document(space, DocumentKind::Note).await?;
    amina.write(note, first_note()?).await?;
    narrator.tell("A working agreement, and the note of a session. Every command was on her disk before it counted as saved. Later her phone meets the relay; Ben's is switched off:").await;
    let mut contact = Tally::default();
    amina.sync(&mut contact).await?;
    narrator.tell(&format!("  Amina and the relay: {contact}.")).await;
    tally.join(contact);
    narrator
        .tell("Her phone is away again when Ben's comes. He gets all of it from a machine that could read none:")
        .await;
    let mut contact = Tally::default();
    ben.sync(&mut contact).await?;
    narrator.tell(&format!("  Ben and the relay: {contact}.")).await;
    tally.join(contact);
    let arrived = section(&ben.client.view(note).await?).contains(texts::EXPLORATION);
    narrator.claim("Ben has Amina's note, though their devices never met", arrived);
    Ok(Pair { space, agreement, note })
}

/// Both edit the same paragraph, and one term, while neither knows of the other's edit.
async fn write_at_once(
    amina: &Person,
    ben: &Person,
    pair: &Pair,
    tally: &mut Tally,
    narrator: &mut Narrator,
) -> Result<(), Failure> {
    narrator.heading(4, "Both write in the same paragraph, apart").await;
    let text = section(&amina.client.view(pair.note).await?);
    let splice = insert_behind(&text, texts::AMINA_BEHIND, texts::AMINA_INSERTS)?;
    amina.write(pair.note, [edit_section(Stage::Exploration, splice)]).await?;
    amina.write(pair.agreement, [term(Term::Cadence { every: 1, unit: CadenceUnit::Month })]).await?;
    let text = section(&ben.client.view(pair.note).await?);
    let splice = insert_behind(&text, texts::BEN_BEHIND, texts::BEN_INSERTS)?;
    let understanding = edit_section(Stage::Understanding, Splice::insert(0, texts::UNDERSTANDING));
    ben.write(pair.note, [edit_section(Stage::Exploration, splice), understanding]).await?;
    let clause = item_id()?;
    let ben_adds = [
        term(Term::Cadence { every: 2, unit: CadenceUnit::Week }),
        add_clause(clause, ClauseSection::Methods, Modality::May),
        edit_clause(clause, texts::MAY),
    ];
    ben.write(pair.agreement, ben_adds).await?;
    narrator
        .tell("Neither has a network. Amina adds a sentence in the middle of it; Ben asks a question at the very same place. In the agreement she sets how often they meet to every month, he to every two weeks. Then each meets the relay, at different times:")
        .await;
    let mut contacts = Tally::default();
    for person in [ben, amina, ben, amina] {
        person.sync(&mut contacts).await?;
    }
    narrator.tell(&format!("  {contacts}.")).await;
    tally.join(contacts);
    Ok(())
}

/// Both stores hold the same, with both people's words, and each knows what the other has.
async fn same(amina: &Person, ben: &Person, pair: &Pair, narrator: &mut Narrator) -> Result<(), Failure> {
    narrator.heading(5, "The merged note, the same on both devices").await;
    let look = narrator.look();
    let (hers, his) = (amina.client.view(pair.note).await?, ben.client.view(pair.note).await?);
    if let View::Note(note) = &hers.view {
        for part in note.sections.iter().filter(|part| !part.text.text.is_empty()) {
            narrator.say(&format!("   {}\n", part.stage)).await;
            let written = show::written(&part.text, &note.authors, "     ", look);
            narrator.say(&written).await;
        }
    }
    let text = section(&hers);
    narrator.claim(
        "the merged paragraph holds what both wrote",
        text.contains(texts::AMINA_INSERTS) && text.contains(texts::BEN_INSERTS),
    );
    narrator.claim("both stores hold the same note, with the same authors", same_view(&hers, &his));
    let (hers, his) = (amina.client.view(pair.agreement).await?, ben.client.view(pair.agreement).await?);
    if let View::Agreement(agreement) = &hers.view {
        let conflict = agreement.conflicts.iter().find(|conflict| conflict.field.contains("cadence"));
        let values = conflict.map_or_else(String::new, |conflict| {
            let said = conflict.values.iter().map(|claim| {
                format!("{} ({})", clean(&claim.value), agreement.authors.get(claim.by).map_or("?", String::as_str))
            });
            said.collect::<Vec<_>>().join(" or ")
        });
        narrator
            .tell(&format!("Text needs no choice. The term does, and nobody's value is lost: cadence is {values}."))
            .await;
        narrator.claim(
            "a term that both changed shows both values",
            conflict.is_some_and(|conflict| conflict.values.len() == 2),
        );
    }
    narrator.claim("both stores hold the same agreement", same_view(&hers, &his));
    let mut delivered = true;
    for person in [amina, ben] {
        let status = person.client.status().await?;
        let space = status.spaces.iter().find(|space| space.space == pair.space);
        delivered &= space.is_some_and(|space| {
            let delivery = space.delivery;
            delivery.drafts == 0
                && delivery.unsent == 0
                && delivery.on_relay
                && delivery.on_devices == 1
                && delivery.of_devices == 1
        });
    }
    narrator
        .tell("Status on both: on the relay, and on 1 of 1 other devices, by a receipt that the other device signed.")
        .await;
    narrator.claim("status says so: on the relay, on 1 of 1 devices by signed receipt", delivered);
    Ok(())
}

async fn group(people: &[&Person; 3], tally: &mut Tally, narrator: &mut Narrator) -> Result<(), Failure> {
    narrator.heading(6, "A peer group of three, one note").await;
    let [host, second, third] = *people;
    let mut joining = Tally::default();
    let (space, _) = found(host, &[second, third], texts::GROUP, NewSpace::Peers(3), &mut joining).await?;
    let note = host.client.create_document(space, DocumentKind::Note).await?;
    host.write(note, [Command::Note(NoteCommand::SetTitle { title: texts::GROUP_TITLE.to_owned() })]).await?;
    let mut contacts = Tally::default();
    for person in [host, second, third] {
        person.sync(&mut contacts).await?;
    }
    for (person, line) in people.iter().zip(texts::GROUP_LINES) {
        person.write(note, [edit_section(Stage::Focus, Splice::insert(0, *line))]).await?;
    }
    for _ in 0..2 {
        for person in people {
            person.sync(&mut contacts).await?;
        }
    }
    let mut views = Vec::new();
    for person in people {
        views.push(person.client.view(note).await?);
    }
    let all_in = views.iter().all(|view| {
        let text = focus(view);
        texts::GROUP_LINES.iter().all(|line| text.contains(line.trim_end()))
    });
    let equal = views.iter().all(|view| same_view(view, &views[0]));
    narrator
        .tell(&format!(
            "{} founds it, {} and {} join ({joining}). All three write in one section at the same time, apart; then each \
             meets the relay twice: {contacts}. All three stores hold the same three lines.",
            host.name, second.name, third.name
        ))
        .await;
    narrator.claim("three people wrote in one section apart; all three stores hold all of it", all_in && equal);
    tally.join(joining);
    tally.join(contacts);
    Ok(())
}

/// What a contact costs when nothing is new.
async fn idle(amina: &Person, narrator: &mut Narrator) -> Result<u64, Failure> {
    let (mut settling, mut contact) = (Tally::default(), Tally::default());
    amina.sync(&mut settling).await?;
    amina.sync(&mut contact).await?;
    let bytes = contact.up + contact.down;
    narrator.heading(7, "What the relay has, and what it can read").await;
    narrator
        .tell(&format!("A contact at which nothing is new costs {bytes} protocol bytes, both ways together, and loads no document ({contact})."))
        .await;
    narrator.claim(
        "a contact with nothing new costs at most 200 bytes and loads no document",
        bytes <= 200 && contact.loaded == 0,
    );
    Ok(bytes)
}

/// Searches the relay's files and what its databases hold, while it runs and after it has ended, for everything that was
/// written; and shows that the search works, on a file that anybody can read.
async fn relay_files(
    relay: Relay,
    program: &Path,
    relay_folder: &Path,
    folder: &Path,
    amina: &Person,
    narrator: &mut Narrator,
) -> Result<(Vec<Found>, usize), Failure> {
    let words = texts::words();
    let unreadable = |error: std::io::Error| Failure::from(DeskCode::FileUnreadable).with("reason", error.kind());
    let mut running = search(relay_folder, &words).map_err(unreadable)?;
    let files = (running.files, running.bytes);
    let cells = Path::new("what its databases hold");
    running.add(cells, &Relay::dump(program, relay_folder).await?, &words);
    let clean_end = relay.stop().await;
    let mut ended = search(relay_folder, &words).map_err(unreadable)?;
    ended.add(cells, &Relay::dump(program, relay_folder).await?, &words);
    let control = folder.join("export");
    std::fs::create_dir(&control).map_err(unreadable)?;
    let export = amina.client.export(None).await?;
    std::fs::write(control.join("amina.json"), export.to_string()).map_err(unreadable)?;
    let readable = search(&control, &texts::words_of_amina()).map_err(unreadable)?;
    let mut found = running.found;
    found.extend(ended.found);
    narrator
        .tell(&format!(
            "Its {} hold {} bytes. The {} that people wrote, names among them, were looked for in \
             all of it, as raw bytes and in every cell of its databases, while it ran and after it had ended: {} found. \
             The same search in Amina's export, \
             which is readable, finds {} of {}.",
            count(files.0, "file", "files"),
            grouped(files.1),
            count(words.len() as u64, "word or sentence", "words and sentences"),
            if found.is_empty() { "none".to_owned() } else { found.len().to_string() },
            readable.found.len(),
            texts::words_of_amina().len(),
        ))
        .await;
    narrator.claim("the relay's files hold none of the words", found.is_empty());
    narrator.claim(
        "the same search finds all of them in a readable export",
        readable.found.len() == texts::words_of_amina().len(),
    );
    narrator.claim("the relay ended cleanly", clean_end);
    Ok((found, words.len()))
}

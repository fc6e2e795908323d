//! Lists as text.

use alliance_client::{
    Delivery, DocumentRow, InviteState, InviteView, JoinState, JoinView, MemberView, OfferedView, OwnDevice, OwnWords,
    RelayView, Renewed, SpaceStatus, SpaceView, Standing, Status, Transport,
};
use alliance_model::audience::Audience;
use alliance_model::kind::Shape;
use alliance_model::{DocumentKind, ExportsView};

use crate::output::Look;
use crate::output::table::Table;
use crate::output::text::{bold, count, line, moment, short};

const fn yes(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

pub(crate) fn relays(relays: &[RelayView], look: Look) -> String {
    let mut table = Table::new(&["ADDRESS", "KEY", "TOKEN", "LAST CONTACT", "OVER"], 0);
    for relay in relays {
        let contact = relay.last_contact.map_or_else(|| "never".to_owned(), moment);
        let over = relay.transport.map(over).unwrap_or_default();
        table.row([relay.address.clone(), short(&relay.key), yes(relay.has_token).to_owned(), contact, over]);
    }
    table.print(look.columns, "No relay is known; add one with `alliance relay add`.")
}

/// What carried a contact with a relay, and why it was not UDP.
fn over(transport: Transport) -> String {
    match transport.why {
        None => "UDP".to_owned(),
        Some("UDP_UNANSWERED") => "TCP: nothing came back over UDP".to_owned(),
        Some("UDP_SILENT") => "TCP: nothing came back over UDP any more".to_owned(),
        Some("UDP_UNSENDABLE") => "TCP: this machine sends no UDP there".to_owned(),
        Some(code) => format!("TCP: {code}"),
    }
}

/// Spaces, with whom each is for where its kind does not say it.
pub(crate) fn spaces(spaces: &[(SpaceView, Option<Audience>)], look: Look) -> String {
    let mut table = Table::new(&["ID", "TITLE", "KIND", "STANDING", "MEMBERS"], 4);
    for (space, audience) in spaces {
        let members: Vec<&str> = space.members.iter().map(|member| member.name.as_str()).collect();
        table.row([
            short(&space.space),
            space.title.clone(),
            audience.map_or_else(|| space.kind.to_owned(), |audience| format!("{}, {audience}", space.kind)),
            standing(space).to_owned(),
            members.join(", "),
        ]);
    }
    table.print(look.columns, "There is no space yet; found one with `alliance space create`, or join one.")
}

fn standing(space: &SpaceView) -> &'static str {
    match space.standing {
        Standing::Asked => "asked",
        Standing::Member if space.waiting_for_keys => "waits for keys",
        Standing::Member => "member",
        Standing::Closed => "closed",
        Standing::Suspended if space.handed_over == Some(true) => "device suspended",
        Standing::Suspended => "device suspended, not confirmed",
        Standing::PutOut if space.handed_over == Some(true) => "device put out",
        Standing::PutOut => "device put out, not confirmed",
    }
}

pub(crate) fn space(space: &SpaceView, audience: Option<Audience>, look: Look) -> String {
    let audience = audience.map_or_else(String::new, |audience| format!("  audience  {audience}\n"));
    let mut text = format!(
        "{}\n  id        {}\n  kind      {}\n{audience}  standing  {}\n  relay     {}\n\n",
        bold(&line(&space.title), look.color),
        space.space,
        space.kind,
        standing(space),
        space.relay.as_deref().unwrap_or("none: you meet directly"),
    );
    text.push_str(&members(&space.members, look));
    text
}

/// What a renewal did, and what is to be done next.
pub(crate) fn renewed(old: &SpaceView, renewed: &Renewed) -> String {
    let new = short(&renewed.space.space);
    let mut text = format!(
        "\"{}\" ({new}) has copies of {} of \"{}\", which stays as it is.\n",
        line(&renewed.space.title),
        count(renewed.copied.len() as u64, "document", "documents"),
        line(&old.title)
    );
    for left in &renewed.left {
        text.push_str(&format!("Not copied: \"{}\" ({}): {}\n", line(&left.title), short(&left.document), left.code));
    }
    for name in &renewed.people {
        text.push_str(&format!("{} was in the old one: invite with `alliance invite new {new}`.\n", line(name)));
    }
    text
}

pub(crate) fn members(members: &[MemberView], look: Look) -> String {
    let mut table = Table::new(&["MEMBER", "ROLE", "DEVICES"], 2);
    for member in members {
        let devices: Vec<String> = member.devices.iter().map(short).collect();
        let name = if member.me { format!("{} (you)", member.name) } else { member.name.clone() };
        table.row([name, member.role.to_owned(), devices.join(", ")]);
    }
    table.print(look.columns, "No members are known yet.")
}

pub(crate) fn words(words: &[OwnWords], look: Look) -> String {
    let mut table = Table::new(&["WORDS", "LISTED IN", "OUT OF"], 0);
    for (n, words) in words.iter().enumerate() {
        let key = if n == 0 { format!("{} (the first)", short(&words.key)) } else { short(&words.key) };
        table.row([key, words.active.len().to_string(), words.out.len().to_string()]);
    }
    table.print(look.columns, "No space of yours lists recovery words yet.")
}

pub(crate) fn devices(devices: &[OwnDevice], look: Look) -> String {
    let mut table = Table::new(&["DEVICE", "ACTIVE IN", "SUSPENDED IN", "LOST IN"], 0);
    for device in devices {
        let key = if device.me { format!("{} (this one)", short(&device.device)) } else { short(&device.device) };
        let counts = [&device.active, &device.suspended, &device.lost].map(|spaces| spaces.len().to_string());
        let [active, suspended, lost] = counts;
        table.row([key, active, suspended, lost]);
    }
    table.print(look.columns, "No space of yours is here yet.")
}

pub(crate) fn offered(offered: &[OfferedView], look: Look) -> String {
    let mut table = Table::new(&["ID", "BY", "DEVICE", "WRITTEN", "DOCUMENT"], 1);
    for entry in offered {
        let written = entry.written_at.map_or_else(|| "unknown".to_owned(), moment);
        let document = entry.document.map_or_else(String::new, |document| short(&document));
        table.row([short(&entry.id), entry.by.clone(), short(&entry.device), written, document]);
    }
    table.print(look.columns, "Nothing is offered here.")
}

pub(crate) fn invites(invites: &[InviteView], look: Look) -> String {
    let mut table = Table::new(&["ID", "SPACE", "STATE", "WORDS TO COMPARE"], 1);
    for invite in invites {
        let (state, words) = match &invite.state {
            InviteState::Open => (format!("open until {}", moment(invite.expires)), String::new()),
            InviteState::Answered { name, words } => (format!("answered by {name}"), words.join(" ")),
            InviteState::Confirmed => ("confirmed".to_owned(), String::new()),
            InviteState::Spent => ("spent".to_owned(), String::new()),
        };
        table.row([invite.id.clone(), invite.title.clone(), state, words]);
    }
    let mut text = String::new();
    let mut together: Vec<&InviteView> = invites.iter().filter(|invite| invite.uses > 1).collect();
    together.sort_by(|a, b| a.entry.cmp(&b.entry));
    together.dedup_by(|a, b| a.entry == b.entry);
    for invite in together {
        text.push_str(&format!("\n{}: {} of {} open\n", line(&invite.title), invite.open, invite.uses));
    }
    let table = table.print(look.columns, "No invitations; make one with `alliance invite new SPACE`.");
    format!("{table}{text}")
}

pub(crate) fn joins(joins: &[JoinView], look: Look) -> String {
    let mut table = Table::new(&["ID", "SPACE", "STATE", "WORDS TO COMPARE"], 1);
    for join in joins {
        let (state, words) = match &join.state {
            JoinState::Asked => ("asked; no answer yet", String::new()),
            JoinState::Words { words } => ("compare, then wait", words.join(" ")),
            JoinState::Mismatch => ("somebody stands between", String::new()),
            JoinState::Joined => ("joined", String::new()),
        };
        table.row([join.id.clone(), join.title.clone(), state.to_owned(), words]);
    }
    table.print(look.columns, "You asked to join nothing; `alliance join TEXT` does.")
}

/// What was given out of a space.
pub(crate) fn exports(exports: &ExportsView, look: Look) -> String {
    let mut table = Table::new(&["DATE", "BY", "WHAT", "FILE", "WHY"], 4);
    for export in &exports.exports {
        let by = exports.authors.get(export.by).cloned().unwrap_or_default();
        let (what, file) = (export.scope.to_string(), export.file[..8].to_owned());
        table.row([export.on.to_string(), by, what, file, export.reason.clone()]);
    }
    table.print(look.columns, "Nothing was given out.")
}

pub(crate) fn documents(rows: &[DocumentRow], spaces: &[SpaceView], kind: DocumentKind, look: Look) -> String {
    let mut table = Table::new(&["ID", "DATE", "TITLE", "SPACE", "MARKS"], 2);
    for row in rows {
        let space = spaces.iter().find(|space| space.space == row.space);
        let space = space.map_or_else(|| short(&row.space), |space| space.title.clone());
        table.row([short(&row.document), row.date.clone(), row.title.clone(), space, marks(row)]);
    }
    let of_form;
    let none = match kind.shape() {
        Shape::Form(_) => {
            of_form = format!("No {kind} fits; begin one with `alliance {kind} new SPACE`.");
            of_form.as_str()
        }
        Shape::Agreement => "No agreement fits; begin one with `alliance agreement new SPACE`.",
        Shape::Preparation => "Nothing is prepared; write something down with `alliance prep add --text ...`.",
        Shape::Exports => "Nothing was given out.",
        Shape::Decision => "No decision fits; begin one with `alliance decision new SPACE`.",
        Shape::Session => "No session fits; plan one with `alliance session new SPACE`.",
        Shape::Note => "No note fits; begin one with `alliance note new SPACE`.",
    };
    table.print(look.columns, none)
}

fn marks(row: &DocumentRow) -> String {
    let all = [
        (row.unread, "new"),
        (row.changed_by_both, "edited by both"),
        (row.needs_choice, "choose"),
        (row.parked, "parked"),
        (row.draft, "draft"),
        (!row.searched, "not searched yet"),
    ];
    let marks: Vec<&str> = all.iter().filter(|(is, _)| *is).map(|(_, mark)| *mark).collect();
    marks.join(", ")
}

/// The honest state: what is on this device only, what a relay acknowledged, what other devices signed for.
pub(crate) fn status(status: &Status, look: Look) -> String {
    let mut text =
        format!("{} · device {}\n\n", bold(&line(&status.whoami.name), look.color), short(&status.whoami.device));
    let mut table = Table::new(&["SPACE", "ONLY HERE", "ON RELAY", "ON OTHER DEVICES", "NOTICE"], 0);
    for space in &status.spaces {
        table.row([
            space.title.clone(),
            here_only(space.delivery),
            yes(space.delivery.on_relay).to_owned(),
            format!("{} of {}", space.delivery.on_devices, space.delivery.of_devices),
            notices(space),
        ]);
    }
    text.push_str(&table.print(look.columns, "There is no space yet."));
    text.push_str("\nAnother device counts when a receipt that it signed shows that it has everything.\n");
    if !status.relays.is_empty() {
        text.push('\n');
        text.push_str(&relays(&status.relays, look));
    }
    if !status.invites.is_empty() {
        text.push_str("\nInvitations that wait:\n");
        text.push_str(&invites(&status.invites, look));
    }
    if !status.joins.is_empty() {
        text.push_str("\nRequests to join that wait:\n");
        text.push_str(&joins(&status.joins, look));
    }
    if status.damaged > 0 {
        text.push_str(&format!(
            "\n{} found damaged on this disk; the next sync asks for it again.\n",
            count(status.damaged, "stored item was", "stored items were")
        ));
    }
    text
}

/// What has not left this device, in words.
pub(crate) fn here_only(delivery: Delivery) -> String {
    match (delivery.drafts, delivery.unsent) {
        (0, 0) => "nothing".to_owned(),
        (drafts, 0) => count(drafts, "draft", "drafts"),
        (0, unsent) => count(unsent, "entry", "entries"),
        (drafts, unsent) => format!("{}, {}", count(drafts, "draft", "drafts"), count(unsent, "entry", "entries")),
    }
}

fn notices(space: &SpaceStatus) -> String {
    let mut notices = Vec::new();
    if space.waiting_for_keys {
        notices.push("waits for keys".to_owned());
    }
    if space.parked > 0 {
        notices.push(format!("{} parked", space.parked));
    }
    if space.forks > 0 {
        notices.push(count(space.forks, "copied device", "copied devices"));
    }
    notices.join(", ")
}

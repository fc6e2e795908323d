-- A device's own tables. Documents are a cache of the log; drafts and profile are not.

create table profile(
  one integer primary key check (one = 1),
  secret blob not null,
  recovery blob not null,
  name text not null,
  created integer not null
);

create table setting(name text primary key, value blob not null) without rowid;

create table local_space(
  space integer primary key,
  title text not null,
  role integer not null,
  state integer not null,
  detail blob not null
);

create table epoch_key(space integer not null, epoch blob not null, key blob not null, primary key(space, epoch))
  without rowid;

create table document(
  id integer primary key,
  space integer not null,
  document blob not null check (length(document) = 16),
  kind integer not null,
  schema integer not null,
  heads blob not null,
  authors blob not null,
  updated integer not null,
  flags integer not null,
  unique(space, document)
);

-- Saved documents lie apart, so that going through the rows above reads none of them.
create table saved(document integer primary key, bytes blob not null);

-- What lists show: no list loads a document.
create table listing(
  document integer primary key,
  space integer not null,
  kind integer not null,
  title text not null,
  -- Civil date as YYYY-MM-DD, or empty: sorts as text.
  date text not null,
  snippet text not null,
  markers integer not null,
  -- Lower-case words for searching; empty while not made yet.
  search text not null
);
create index listing_order on listing(space, kind, date desc, document desc);
create index listing_date on listing(date desc, document desc);

-- What became of each data entry. By the entry's row, because a fork moves entries to another log.
create table document_entry(
  entry integer primary key,
  space integer not null,
  document integer,
  state integer not null,
  -- Code of the reason, or the version waited for.
  detail integer not null
);
create index document_entry_document on document_entry(document, entry) where document is not null;
-- What still waits for something is looked through often and is rarely much; state 0 is applied.
create index document_entry_open on document_entry(space, state, entry) where state <> 0;

-- Row numbers of entries may be given again once a space was forgotten.
create trigger entry_gone after delete on entry begin delete from document_entry where entry = old.id; end;

create table applied(space integer primary key, arrival integer not null);

-- Committed before a gate run and removed after it: what stands here at a start aborted, hung or was killed.
create table trying(space integer not null, document blob not null, log blob not null, seq integer not null,
  primary key(space, document, log, seq)) without rowid;

create table draft(
  id integer primary key,
  draft blob not null unique check (length(draft) = 16),
  space integer not null,
  document blob not null check (length(document) = 16),
  kind integer not null,
  schema integer not null,
  base blob not null,
  incarnation blob not null,
  format integer not null,
  revision integer not null,
  opened integer not null
);
create index draft_document on draft(space, document);
create table command(draft integer not null, n integer not null, bytes blob not null, primary key(draft, n))
  without rowid;

-- Invitations given and joins asked for, until they are settled.
create table pending(kind integer not null, id blob not null, value blob not null, primary key(kind, id)) without rowid;

create table relay(relay blob primary key, address text not null, token blob, added integer not null) without rowid;

create table contact(device blob primary key, name text not null, at integer not null, direction integer not null)
  without rowid;

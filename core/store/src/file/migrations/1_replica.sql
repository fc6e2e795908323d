-- The log: everything that a relay holds, and a device's copy of the same.
-- Rowid tables with interned integer ids for spaces and logs: about a fifth smaller and half again as fast as
-- WITHOUT ROWID tables keyed by the ids themselves.

create table identity(
  one integer primary key check (one = 1),
  incarnation blob not null check (length(incarnation) = 16),
  instance blob not null check (length(instance) = 16),
  opens integer not null
);

create table space(
  id integer primary key,
  space blob not null unique check (length(space) = 16),
  -- The newest arrival number; 0 while nothing is here (a space that is only expected, or named by a cursor).
  arrival integer not null default 0,
  -- Hash of what stands at it, 16 bytes.
  hash blob not null default x'00000000000000000000000000000000',
  digest blob not null,
  -- Bytes of headers and payloads, dropped payloads included: what quotas count. 0 while nothing is here.
  bytes integer not null default 0,
  -- Hash over the membership heads that the roster below was made from.
  heads blob,
  -- The admission token under which the space was created here (relays).
  token blob
);
create index space_token on space(token) where token is not null;

create table log(
  id integer primary key,
  space integer not null,
  -- The id under which it is named: a continuation's where it is one.
  log blob not null check (length(log) = 20),
  -- The id that the author signs: the same for all continuations of one fork.
  signed blob not null check (length(signed) = 20),
  device blob not null check (length(device) = 32),
  incarnation blob not null check (length(incarnation) = 16),
  stream integer not null,
  -- Header hashes of the first entries of the continuations on the way, 32 bytes each.
  path blob not null,
  -- The log that this one continues.
  parent integer,
  -- Header hash before its first entry, and that entry's number.
  base blob not null check (length(base) = 32),
  first integer not null,
  -- Number and header hash of its newest entry; first - 1 and base while it has none.
  seq integer not null,
  head blob not null check (length(head) = 32),
  -- The log ends here: its last entry has several successors.
  forked integer not null default 0,
  unique(space, log)
);
create index log_signed on log(space, signed);
create index log_parent on log(parent) where parent is not null;

create table entry(
  id integer primary key,
  space integer not null,
  log integer not null,
  seq integer not null,
  arrival integer not null,
  stream integer not null,
  -- The payload is not here: dropped, or not yet received.
  missing integer not null default 0,
  payload_len integer not null,
  payload_hash blob not null,
  hash blob not null,
  signature blob not null,
  suffix blob not null,
  -- Checksum over what the header hash does not cover: signature, arrival number, stream.
  guard integer not null,
  unique(log, seq)
);
create unique index entry_arrival on entry(space, arrival);
create index entry_membership on entry(space, arrival) where stream = 0;
create index entry_missing on entry(space) where missing = 1;

-- Payloads lie apart: one can be dropped and the chain still verifies.
create table payload(entry integer primary key, bytes blob not null);

create table receipt(
  id integer primary key,
  space integer not null,
  device blob not null,
  incarnation blob not null,
  counter integer not null,
  arrival integer not null,
  body blob not null,
  signature blob not null,
  unique(space, device)
);
create unique index receipt_arrival on receipt(space, arrival);

create table fork(
  id integer primary key,
  space integer not null,
  log integer not null unique,
  arrival integer not null,
  proof blob not null
);
create unique index fork_arrival on fork(space, arrival);

-- Hashes of receipts that were replaced: a peer's cursor may still name them.
create table replaced(space integer not null, arrival integer not null, hash blob not null, primary key(space, arrival))
  without rowid;

-- Who may have a space: devices of active members (what = 0) and relays that its membership names (what = 1).
create table roster(
  space integer not null, what integer not null, key blob not null, primary key(key, what, space)
) without rowid;
create index roster_space on roster(space);

-- The database that a peer had when it was last met.
create table peer(device blob primary key, instance blob not null) without rowid;

-- Into a peer's arrival numbers (number, hash), and what the peer acknowledged of ours (acked).
create table cursor(
  instance blob not null,
  space integer not null,
  number integer not null default 0,
  hash blob not null default x'00000000000000000000000000000000',
  acked integer not null default 0,
  primary key(instance, space)
) without rowid;

-- Spaces that a relay said it does not have for us, and the membership heads at which it said so.
create table absent(relay blob not null, space integer not null, heads blob not null, primary key(relay, space))
  without rowid;

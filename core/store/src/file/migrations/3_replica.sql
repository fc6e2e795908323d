-- Bytes of entries that a device handed over after it was put out of a space: it may so much, in all.
create table handed(space integer not null, device blob not null, bytes integer not null, primary key(space, device))
  without rowid;

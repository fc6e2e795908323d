"""Writes attacks.json and random.json beside this file: `python3 core/crypto/vectors/membership/write.py`.

attacks.json: the named attacks of attacks.py with what the reference model makes of them. random.json: random histories,
one a line: kind, persons_max, entries [place in hash order, key, person, operation, keys and role, fits, parents],
members [person, role, devices, recovery keys], ended, places of the entries that count, places of the authorised ones.
`write.py --attacks` and `write.py --random COUNT SEED` print what would be written, for a wider comparison.
"""
import json, os, random, sys
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import attacks
M = attacks.model()


def fits(space, e):
    """The verdict on tag and card that an implementation takes from signatures and hashes."""
    if e['op'] == 'add':
        return (e['person'] == M.person_tag(space, e['new'], e['recovery'], e['once'])
                and e['card'] == [e['new'], space, e['person'], e['once'], e['role']])
    if e['op'] == 'device': return e['card'] == [e['new'], space, e['person'], e['key']]
    return True


def result(s):
    st = s.evaluate((1 << len(s.entries)) - 1)
    members = {t: {'role': m.role, 'devices': sorted(m.devices), 'recovery': m.recovery} for t, m in st.members.items()}
    return members, st.ended, [e.id for e in s.entries if e.bit & st.counting], [e.id for e in s.entries if e.authorised]


def named():
    out = []
    for t in attacks.A:
        assert attacks.run_one(M, t) is None, t[0]
        name, promise, kind, persons_max, history, _ = t
        for salt in range(3):
            b = attacks.Build(M, kind, persons_max, salt); raws = b.parse(history)
            s = M.load(raws, b.space); members, ended, counting, authorised = result(s)
            entries = []
            for e in raws:
                e = dict(e, hash=M.digest(e), fits=fits(b.space, e)); e.pop('card', None); e.pop('salt', None); e.pop('once', None)
                e.setdefault('person', b.tags['f']); entries.append(e)
            out.append(dict(name=name, promise=promise, salt=salt, entries=entries, members=members, ended=ended,
                            counting=sorted(counting), authorised=sorted(authorised)))
    return out


def history(r):
    """A random history: mostly rightful operations, by keys of all kinds, back-dated at will."""
    kind, persons_max = r.choice([('group', None), ('group', None), ('joint', 2), ('joint', 3), ('personal', None)])
    b = attacks.Build(M, kind, persons_max, r.random()); raws = [b.first]; s = M.Space(b.first)
    people, fresh = ['f'], 0
    for i in range(r.randrange(6, 60)):
        ids = [e['id'] for e in raws]
        parents = sorted(set(r.sample(ids, min(len(ids), r.choice((1, 1, 2, 3)))) if r.random() < .5 else ids[-r.choice((1, 2)):]))
        op = r.choice('add add add role remove device device device recovery suspend suspend suspend suspend restore restore lost leave end epoch epoch box admit invite relay'.split())
        p = r.choice(people); keys = [k for k, who in b.owner.items() if who == p]
        if op in M.STEWARD and r.random() < .9: keys = [k for k, who in b.owner.items() if who == 'f']
        if op in ('restore', 'lost', 'recovery') and r.random() < .8: keys = [k for k in keys if k[0] == 'R'] or keys
        elif op not in ('restore', 'lost', 'recovery') and r.random() < .8: keys = [k for k in keys if k[0] != 'R'] or keys
        key, opt, args = r.choice(keys), {}, []
        if r.random() < .03: key = r.choice(list(b.owner))
        if op not in ('add', 'role', 'remove'): opt['as'] = b.owner[key] if r.random() < .95 else r.choice(people)
        if op == 'add':
            p = r.choice('abcde') if r.random() < .7 else r.choice(people)
            if p not in people: people.append(p)
            args = [p, r.choice(M.ROLES)]
            if r.random() < .05: opt['signer'] = 'F'
            if r.random() < .05: opt['rec'] = r.choice(list(b.owner))
        if op == 'role': args = [p, r.choice(M.ROLES)]
        if op == 'remove': args = [p]
        if op in ('device', 'recovery'):
            fresh += 1; args = [('R' if op == 'recovery' else 'D') + str(fresh)] if r.random() < .9 else [r.choice(list(b.owner))]
        if op in ('suspend', 'restore', 'lost'): args = [r.choice([k for k, who in b.owner.items() if who == opt['as']] or [key])]
        e = b.raw('e%d' % i, key, op, args, parents, opt)
        if not s.add(e).authorised and r.random() < .8: s.entries.pop(); del s.by_id[e['id']]     # most should matter
        else: raws.append(e)
    return b, raws, s


def compact(b, raws, s):
    keys, tags, ids = {}, {b.tags['f']: 0}, {e['id']: i for i, e in enumerate(raws)}
    number = lambda table, x: table.setdefault(x, len(table))
    order = {h: i for i, h in enumerate(sorted(M.digest(e) for e in raws))}
    rows = []
    for e in raws:
        args = [number(keys, e[k]) for k in ('new', 'recovery', 'target') if k in e] + [M.ROLES.index(e[k]) for k in ('role',) if k in e]
        rows.append([order[M.digest(e)], number(keys, e['key']), number(tags, e.get('person', b.tags['f'])), e['op'], args,
                     int(fits(b.space, e)), [ids[p] for p in e['parents']]])
    members, ended, counting, authorised = result(s)
    roles = M.ROLES + ('steward',)
    return [b.first['kind'], b.first.get('persons_max', 0), rows,
            sorted([tags[t], roles.index(m['role']), sorted(keys[k] for k in m['devices']), [keys[k] for k in m['recovery']]] for t, m in members.items()),
            int(ended), [ids[x] for x in counting], [ids[x] for x in authorised]]


def lines(count, seed):
    r = random.Random(seed)
    for _ in range(count): yield json.dumps(compact(*history(r)), separators=(',', ':'))


def listed(rows): return '[\n' + ',\n'.join(rows) + '\n]\n'


def attack_rows(): return (json.dumps(x, sort_keys=True, separators=(',', ':')) for x in named())


if __name__ == '__main__':
    if sys.argv[1:2] == ['--attacks']: sys.stdout.write(listed(attack_rows()))
    elif sys.argv[1:2] == ['--random']: sys.stdout.write(listed(lines(int(sys.argv[2]), int(sys.argv[3]))))
    else:
        with open(os.path.join(HERE, 'attacks.json'), 'w') as f: f.write(listed(attack_rows()))
        with open(os.path.join(HERE, 'random.json'), 'w') as f: f.write(listed(lines(1000, 1)))

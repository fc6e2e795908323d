"""The reader can tell: with one step taken out of it, a vector that must fail is accepted.

Each control is a copy of this folder with one place changed. The reader must then end with 1, and name the vector.
"""

import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))

# file, what stands there, what stands there instead, what the reader must then complain about
CONTROLS = (
    ('cbor.py', "    if reader.at != len(data):\n", "    if False:\n", 'membership: a byte follows: must be refused'),
    ('records.py', "            raise Refused('no such alternative')", "            return value", 'frames: no such frame: must be refused'),
    ('records.py', "        if at_most is not None and len(value) > at_most:\n            raise Refused('over its limit')\n        return [",
     "        return [", 'frames: too many wanted rows: must be refused'),
    ('records.py', "    if (epoch is not None) != (kind == 1):", "    if False:",
     'suffix: data without an epoch: must be refused'),
    ('records.py', "    if first != (payload[1] == []) or first != (payload[2] is None):", "    if False:",
     'membership: no parents: must be refused'),
    ('records.py', "        if any(key(one) >= key(other) for", "        if any(False for",
     'membership: cut-offs out of order: must be refused'),
    ('records.py', "    if (given[0] == 0) != (len(given) == 2):", "    if False:",
     'membership: a reader whose data goes on: must be refused'),
    ('entries.py', "    if not 1 <= seq < 1 << 63 or (seq == 1) != (prev == bytes(32)) or payload_len > limit:",
     "    if payload_len > limit:", 'header: number 0: must be refused'),
    ('crypto.py', "    if of_small_order(key) or of_small_order(signature[:32]):", "    if False:",
     'signature: the neutral element as key, commitment and zero scalar'),
    ('crypto.py', "    if canary(key, space, generation) != expected:", "    if False:",
     'box: another key than committed to: must be refused'),
    ('crypto.py', "            if len(out) > limit:", "            if False:", 'payload: a bomb: 8 MiB of zeros: must be refused'),
    ('crypto.py', "    if sealed[0] != 1:", "    if False:", 'payload: a newer version: must be refused'),
    ('crypto.py', "struct.pack('>Q', len(ad)) + ad + inner", "ad + inner", 'payload as sealed'),
    ('crypto.py', "parents)) + b''.join(parents)", "parents)) + b''.join(sorted(parents))",
     'box: other parents: must be refused'),
    ('entries.py', "    if hashes and device not in listed:", "    if False:",
     'entry: of a key that was never listed: must be refused'),
    ('entries.py', "        card, place = value[0], (b'\\2', space, person, author,", "        card, place = value[0], (b'\\2', space, person, b'',",
     "Ben's phone lists his laptop: the card"),
    ('texts.py', "    if hashlib.sha256(entropy).digest()[0] >> 4 != bits & 15:", "    if False:",
     'words: two words swapped: must be refused'),
    ('pins.py', "place + salt + struct", "salt + struct", 'PIN: four digits: does not open'),
    ('pins.py', "    pin = ''.join(", "    ''.join(", 'PIN: typed in Arabic digits: does not open'),
    ('read_vectors.py', "commitment or named != said:", "commitment:", 'reveal of another accept: must be refused'),
)


def run(change):
    file, old, new, expected = change
    with tempfile.TemporaryDirectory() as root:
        # The reader finds the vectors two folders above its own.
        for folder in ('core/wire', 'core/crypto', 'core/document'):
            shutil.copytree(os.path.join(HERE, '..', '..', folder, 'vectors'), os.path.join(root, folder, 'vectors'))
        copy = os.path.join(root, 'tests', 'python')
        shutil.copytree(HERE, copy, ignore=shutil.ignore_patterns('__pycache__'))
        path = os.path.join(copy, file)
        with open(path) as source:
            text = source.read()
        if text.count(old) != 1:
            return f'{file}: stands {text.count(old)} times there: {old.strip()}'
        with open(path, 'w') as target:
            target.write(text.replace(old, new))
        done = subprocess.run([sys.executable, 'read_vectors.py'], cwd=copy, capture_output=True, text=True)
        if done.returncode != 1 or f'FAILED {expected}' not in done.stdout:
            return f'{file}, without {old.strip()!r}: {expected!r} is not noticed\n{done.stdout[-400:]}{done.stderr[-400:]}'
    return None


if __name__ == '__main__':
    wrong = [complaint for complaint in map(run, CONTROLS) if complaint]
    for complaint in wrong:
        print(complaint)
    print(f'{len(CONTROLS) - len(wrong)} passed, {len(wrong)} failed')
    sys.exit(1 if wrong else 0)

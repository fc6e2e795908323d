"""What every part of the reader asks for: vectors, and whether what is said of them holds. Counts what passed."""

import json
import os
import sys

from cbor import Refused

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
passed, failed = 0, 0


def load(path):
    with open(os.path.join(ROOT, path)) as file:
        return json.load(file)


def expect(what, condition):
    global passed, failed
    if condition:
        passed += 1
    else:
        failed += 1
        print('FAILED', what)


def refused(what, read, *arguments):
    try:
        read(*arguments)
    except Refused:
        return expect(what, True)
    expect(f'{what}: must be refused', False)


def reads(what, read, *arguments):
    try:
        return read(*arguments)
    except Refused as why:
        expect(f'{what}: {why}', False)
        return None


def changed(data, at=None):
    """The same with one byte changed, in the middle if not said."""
    at = len(data) // 2 if at is None else at
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def run(sections):
    """Runs the sections, says what each came to, and ends the process."""
    for section in sections:
        before = passed + failed
        section()
        print(f'{section.__name__}: {passed + failed - before}')
        if passed + failed == before:
            sys.exit(f'{section.__name__} looked at nothing')
    print(f'{passed} passed, {failed} failed')
    sys.exit(1 if failed else 0)

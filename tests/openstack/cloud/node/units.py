#!/usr/bin/python3
"""A node's oneshot units, which are run for real.

In boot.py, the node's first process, `Units` serves a socket beside the
records. As a program this is what the systemctl recorder calls:

    node-units start|restart UNIT [--no-block]

with a unit whose file says Type=oneshot. It ends with the unit's status.

While a timer is started the service of its name is run every few seconds.
"""
import os
import pathlib
import shlex
import socket
import subprocess
import sys
import threading
import time

RECORD = pathlib.Path('/usr/local/lib/node-record')
SOCKET = RECORD / 'units.socket'
FILES = pathlib.Path('/etc/systemd/system')
TRUE = ('1', 'yes', 'true', 'on')
# Between two runs of a timer's service, whatever the timer says: tests do not
# wait for minutes.
TIMER_SECONDS = 10


def service(unit):
    """The [Service] section: key -> values, in the order of the file. An
    empty value forgets the ones before."""
    text = (FILES / (unit + '.service')).read_text().replace('\\\n', ' ')
    found, section = {}, ''
    for line in map(str.strip, text.splitlines()):
        if line.startswith('['):
            section = line
        elif section == '[Service]' and '=' in line and line[0] not in '#;':
            key, value = map(str.strip, line.split('=', 1))
            if value:
                found.setdefault(key, []).append(value)
            else:
                found.pop(key, None)
    return found


def environment(section, base):
    """The unit's own variables; nothing of the script that started it."""
    found = dict(base)
    for name in section.get('EnvironmentFile', ()):
        try:
            text = pathlib.Path(name.lstrip('-')).read_text()
        except OSError:
            if name.startswith('-'):
                continue
            raise
        lines = map(str.strip, text.splitlines())
        pairs = [line for line in lines
                 if '=' in line and line[0] not in '#;']
        found.update(_pair(p) for p in pairs)
    for line in section.get('Environment', ()):
        found.update(_pair(p) for p in shlex.split(line) if '=' in p)
    return found


def _pair(text):
    name, value = text.split('=', 1)
    if len(value) > 1 and value[0] == value[-1] and value[0] in '\'"':
        value = value[1:-1]
    return name, value


def words(line, variables):
    """A command line as systemd reads it: quotes, and a variable as a word of
    its own ($NAME, split) or within one (${NAME})."""
    found = []
    for word in shlex.split(line):
        if word[:1] == '$' and word[1:].isidentifier():
            found += variables.get(word[1:], '').split()
            continue
        for name, value in variables.items():
            word = word.replace('${%s}' % name, value)
        found.append(word.replace('$$', '$').replace('%%', '%'))
    return found


class Units:
    def __init__(self, prefix, variables, say):
        """`prefix` goes before each command, `variables` are a unit's when it
        has none of its own."""
        self.prefix, self.variables, self.say = prefix, variables, say
        self.lock = threading.Lock()      # guards what follows
        self.children = set()             # pids this object waits for
        self.jobs = {}                    # unit -> its job, when it runs
        self.failures = []                # of those nobody waited for
        SOCKET.unlink(missing_ok=True)
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(str(SOCKET))
        self.server.listen(64)
        threading.Thread(target=self._serve, daemon=True).start()
        threading.Thread(target=self._tick, daemon=True).start()

    def left(self):
        """Units that scripts started and that still run. What a timer runs is
        no part of the boot."""
        with self.lock:
            return sorted(u for u, job in self.jobs.items() if not job.timed)

    def ended(self, deadline):
        """Waits until no unit is left. False: the time was over first."""
        while self.left():
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.1)
        return True

    def _tick(self):
        """A service that still runs is not started again."""
        while True:
            time.sleep(TIMER_SECONDS)
            for unit in timed():
                self._job('start', unit, background=False, timed=True)

    def _serve(self):
        while True:
            connection, _ = self.server.accept()
            threading.Thread(target=self._answer, args=(connection,),
                             daemon=True).start()

    def _answer(self, connection):
        with connection:
            verb, unit, *flags = connection.recv(4096).decode().split('\n')
            job = self._job(verb, unit, background='--no-block' in flags)
            if '--no-block' not in flags:
                job.done.wait()
            try:
                status = 0 if '--no-block' in flags else job.status
                connection.sendall(b'%d' % status)
            except OSError:
                pass   # who asked has gone

    def _job(self, verb, unit, background, timed=False):
        """Joins a job of the unit that runs, as systemd does; a restart comes
        after it."""
        while True:
            with self.lock:
                running = self.jobs.get(unit)
                if running is None:
                    job = Job(timed)
                    if verb == 'start' and state(unit) == 'active':
                        job.done.set()
                        return job
                    self.jobs[unit] = job
                    state(unit, 'activating')
                    break
                if verb == 'start':
                    return running
            running.done.wait()
        threading.Thread(target=self._run, args=(unit, job, background),
                         daemon=True).start()
        return job

    def _run(self, unit, job, background):
        self.say('%s starts' % unit)
        kept = False
        try:
            section = service(unit)
            kept = section.get('RemainAfterExit', ['no'])[-1].lower() in TRUE
            job.status = self._commands(section)
        except (OSError, ValueError) as error:
            self.say('%s: %s' % (unit, error))
            job.status = 203
        self.say('%s ended with %d' % (unit, job.status))
        state(unit, 'failed' if job.status else 'active' if kept else '')
        with self.lock:
            if job.status and background:
                self.failures.append(job.status)
            del self.jobs[unit]
        job.done.set()

    def _commands(self, section):
        variables = environment(section, self.variables)
        directory = section.get('WorkingDirectory', ['/'])[-1].lstrip('-')
        for key in ('ExecStartPre', 'ExecStart', 'ExecStartPost'):
            for line in section.get(key, ()):
                command = line.lstrip('@-:+!')
                status = self._child(words(command, variables), variables,
                                     directory)
                if status and '-' not in line[:len(line) - len(command)]:
                    return status
        return 0

    def _child(self, command, variables, directory):
        with self.lock:
            process = subprocess.Popen(
                self.prefix + command, env=variables, cwd=directory,
                stdin=subprocess.DEVNULL, start_new_session=True)
            self.children.add(process.pid)
        status = process.wait()
        with self.lock:
            self.children.discard(process.pid)
        return status if status >= 0 else 128 - status

    def reap(self):
        """As the first process: waits for every child, until there is none and
        no timer makes another."""
        while True:
            try:
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
            except ChildProcessError:
                if not timed():
                    return
                time.sleep(0.2)
                continue
            with self.lock:
                if found.si_pid not in self.children:
                    try:
                        os.waitpid(found.si_pid, os.WNOHANG)
                    except ChildProcessError:
                        pass   # whose child it was has just waited for it
                    continue
            time.sleep(0.05)


class Job:
    def __init__(self, timed):
        self.done, self.status, self.timed = threading.Event(), 0, timed


def timed():
    """Services of the timers that are started, as far as they are run here:
    `systemctl stop` of a timer removes its record."""
    found = [path.stem for path in (RECORD / 'units').glob('*.timer')]
    return [unit for unit in found if (FILES / (unit + '.timer')).exists()
            and (FILES / (unit + '.service')).exists()
            and service(unit).get('Type') == ['oneshot']]


def state(unit, new=None):
    """active, activating or failed; the recorder reads the same file. A
    unit that is none of these has no file."""
    path = RECORD / 'units' / unit
    if new:
        path.with_name(unit + '.new').write_text(new + '\n')
        path.with_name(unit + '.new').replace(path)
    elif new == '':
        path.unlink(missing_ok=True)
    return path.read_text().strip() or 'active' if path.exists() else ''


def main():
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(SOCKET))
        connection.sendall('\n'.join(sys.argv[1:]).encode())
        sys.exit(int(connection.recv(16) or 1))


if __name__ == '__main__':
    main()

#!/usr/bin/env python3
"""Compares perkins with the DuckDB implementation of ../shared/yardstick on the same data, in one run, and keeps the result.

python3 benches/compare.py --perkins BINARY [--size M] [--rounds 3] [--work DIR]

Needs ../shared/yardstick and Python's venv; makes a virtual environment and the data below --work (default ~/.cache/perkins/bench). Figures are
CPU seconds (user + system) of whole processes, medians; the stages of both run in turn, so that a slower machine slows both."""
import argparse, datetime, os, pathlib, platform, shutil, statistics, subprocess, sys, tempfile, time

HERE = pathlib.Path(__file__).resolve().parent
SIZES = {'S': 20_000, 'M': 200_000, 'L': 2_000_000}


def measure(command, **options):
    """CPU seconds, wall seconds and peak MiB of a command (its own process)."""
    start = time.time()
    with tempfile.TemporaryFile('w+') as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, **options)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            sys.exit(f'{command} failed:\n{output.read()[-2000:]}')
    return usage.ru_utime + usage.ru_stime, time.time() - start, usage.ru_maxrss / 1024


def prepare(work, size):
    yardstick = HERE.parent.parent / 'shared' / 'yardstick'
    if not yardstick.is_dir():
        print('SKIPPED: ../shared/yardstick is not there, so there is nothing to compare with')
        sys.exit(0)
    work.mkdir(parents=True, exist_ok=True)
    for file in yardstick.glob('*.py'):
        shutil.copy(file, work)
    python = work / 'venv' / 'bin' / 'python'
    if not python.exists():
        subprocess.run([sys.executable, '-m', 'venv', work / 'venv'], check=True)
        subprocess.run([python, '-m', 'pip', 'install', '-q', 'duckdb', 'polars', 'pyarrow', 'pandas', 'numpy'], check=True)
    raw, dirty = work / 'data' / size, work / 'data' / f'{size}-dirty'
    for folder, dirt in ((raw, '0'), (dirty, '0.005')):
        if not folder.is_dir():
            subprocess.run([python, 'scale_gen.py', '--students-per-year', str(SIZES[size]), '--dirt', dirt, '--out', folder], cwd=work, check=True)
    return python, raw, dirty


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--perkins', required=True), parser.add_argument('--size', default='M', choices=SIZES), parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--work', type=pathlib.Path, default=pathlib.Path.home() / '.cache' / 'perkins' / 'bench')
    a = parser.parse_args()
    work = a.work.resolve()
    python, raw, dirty = prepare(work, a.size)
    ours, theirs, spoilt = work / 'ours', work / 'theirs', work / 'spoilt'
    tables = [x for t in ('student_program', 'indicator_membership', 'performance', 'enrollment_count') for x in ('--table', t)]
    start = [a.perkins, '--partitions', '2', '--restricted', ours, '--public', ours / 'public']
    stages = {
        'ingest, perkins': [a.perkins, '--partitions', '2', '--restricted', ours, 'ingest', raw],
        'ingest, 0.5 % dirt, perkins': [a.perkins, '--partitions', '2', '--restricted', spoilt, 'ingest', dirty],
        'ingest, DuckDB': [python, 'duckdb_peer.py', '--raw', raw, '--out', theirs, '--lake', theirs / 'lake', '--stage', 'ingest'],
        'compute (4 tables), perkins': [a.perkins, '--partitions', '2', '--restricted', ours, 'run', '--jurisdiction', 'oregon', '--report-year', '2024', *tables],
        'compute (4 tables), DuckDB': [python, 'duckdb_peer.py', '--out', theirs, '--lake', theirs / 'lake', '--stage', 'compute'],
        'run, all tables, perkins': [*start, 'run', '--jurisdiction', 'oregon', '--report-year', '2024', '--again', '--no-publish'],
        # The run is there, so this protects, writes, proves and commits only.
        'publish, perkins': [*start, 'run', '--jurisdiction', 'oregon', '--report-year', '2024'],
        'audit of the public tables, perkins': [*start, 'audit'],
    }
    figures = {name: [] for name in stages}
    for _ in range(a.rounds):
        for folder in (ours, theirs, spoilt):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        for name, command in stages.items():
            figures[name].append(measure([str(c) for c in command], cwd=work))
            print(name, *(f'{x:.2f}' for x in figures[name][-1]), flush=True)
    median = {name: [statistics.median(f[i] for f in runs) for i in range(3)] for name, runs in figures.items()}
    commit = subprocess.run(['git', '-C', str(HERE), 'describe', '--always', '--dirty'], capture_output=True, text=True).stdout.strip()
    model = next((l.split(':')[1].strip() for l in open('/proc/cpuinfo') if l.startswith('model name')), platform.machine())
    lines = [f'# {a.size}: {SIZES[a.size]:,} students a year, six years', '',
             f'Commit {commit}, {datetime.date.today()}, {os.cpu_count()} cores of {model}, median of {a.rounds}; load {os.getloadavg()[0]:.1f} at the end.', '',
             '| stage | CPU s | wall s | peak MiB |', '|---|---:|---:|---:|']
    lines += [f'| {name} | {cpu:.2f} | {wall:.2f} | {peak:.0f} |' for name, (cpu, wall, peak) in median.items()]
    for stage in ('ingest', 'compute (4 tables)'):
        lines.append(f'\n{stage}: {median[stage + ", perkins"][0] / median[stage + ", DuckDB"][0]:.2f} of DuckDB\'s CPU seconds.')
    text = '\n'.join(lines) + '\n'
    (HERE / f'result-{a.size}.md').write_text(text)
    print(text)


if __name__ == '__main__':
    main()

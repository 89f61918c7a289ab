import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { DockerfileParser } from 'dockerfile-ast';

const run = promisify(execFile);

/** What an image is, built in a folder instead of by a daemon. */
export interface BuiltImage {
  /** The image's root; its paths stand below. */
  readonly root: string;
  /** Absolute, within the image. */
  readonly workdir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly user: string | null;
  readonly command: readonly string[];
  readonly healthcheck: readonly string[];
}

interface Stage {
  readonly root: string;
  workdir: string;
  readonly env: Record<string, string>;
  user: string | null;
  command: readonly string[];
  healthcheck: readonly string[];
}

/**
 * Takes a Dockerfile's steps one by one, each stage in a folder of its own: copies what it copies, of what
 * `.dockerignore` lets through, and runs what it runs with this machine's Node in the place of the base image.
 * Throws at an instruction that it does not know, rather than skip it.
 */
export async function buildImage(context: string, folder: string): Promise<BuiltImage> {
  const text = await readFile(join(context, 'Dockerfile'), 'utf8');
  const allowed = await allowedPaths(context);
  const stages = new Map<string, Stage>();
  let stage: Stage | undefined;
  for (const instruction of DockerfileParser.parse(text).getInstructions()) {
    const keyword = instruction.getKeyword();
    const args = instruction.getArgumentsContent() ?? '';
    if (keyword === 'ARG' && stage === undefined) continue;
    if (keyword === 'FROM') {
      const name = / AS (\S+)$/.exec(args)?.[1] ?? `stage-${stages.size}`;
      const root = join(folder, name);
      stage = { root, workdir: '/', env: {}, user: null, command: [], healthcheck: [] };
      stages.set(name, stage);
      await mkdir(root, { recursive: true });
      continue;
    }
    if (stage === undefined) throw new Error(`${keyword} stands before the first FROM.`);
    await take(stage, { keyword, args, line: instruction.getTextContent() }, { context, allowed, stages });
  }
  if (stage === undefined) throw new Error('The Dockerfile has no stage.');
  return stage;
}

interface Step {
  readonly keyword: string;
  readonly args: string;
  readonly line: string;
}

interface Surroundings {
  readonly context: string;
  readonly allowed: ReadonlySet<string>;
  readonly stages: ReadonlyMap<string, Stage>;
}

async function take(stage: Stage, step: Step, surroundings: Surroundings): Promise<void> {
  switch (step.keyword) {
    case 'ENV':
      for (const pair of step.args.split(/\s+/)) {
        const [name = '', ...value] = pair.split('=');
        stage.env[name] = value.join('=');
      }
      return;
    case 'WORKDIR':
      stage.workdir = step.args;
      await mkdir(join(stage.root, step.args), { recursive: true });
      return;
    case 'COPY':
      await copy(stage, step, surroundings);
      return;
    case 'RUN':
      await run('/bin/sh', ['-c', step.args], {
        cwd: join(stage.root, stage.workdir),
        env: { ...process.env, ...stage.env },
        maxBuffer: 10_000_000,
      });
      return;
    case 'USER':
      stage.user = step.args;
      return;
    case 'EXPOSE':
      return;
    case 'HEALTHCHECK':
      stage.healthcheck = execForm(step.args.slice(step.args.indexOf('CMD') + 'CMD'.length));
      return;
    case 'CMD':
      stage.command = execForm(step.args);
      return;
    default:
      throw new Error(`The instruction ${step.keyword} is not known here: ${step.line}`);
  }
}

async function copy(stage: Stage, step: Step, { context, allowed, stages }: Surroundings): Promise<void> {
  const from = /--from=(\S+)/.exec(step.line)?.[1];
  const paths = step.args.split(/\s+/).filter((word) => !word.startsWith('--'));
  const target = join(stage.root, stage.workdir, paths.at(-1) ?? '');
  const intoFolder = paths.at(-1)?.endsWith('/') === true;
  for (const path of paths.slice(0, -1)) {
    if (from === undefined && !allowed.has(path)) throw new Error(`.dockerignore keeps ${path} back.`);
    const source = join(from === undefined ? context : (stages.get(from)?.root ?? ''), path);
    const destination = intoFolder ? join(target, basename(path)) : target;
    await mkdir(dirname(destination), { recursive: true });
    await cp(source, destination, { recursive: true, verbatimSymlinks: true });
  }
}

/** A `.dockerignore` that forbids all and lets single names of the top folder through. */
async function allowedPaths(context: string): Promise<Set<string>> {
  const lines = (await readFile(join(context, '.dockerignore'), 'utf8'))
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (lines[0] !== '*' || !lines.slice(1).every((line) => line.startsWith('!'))) {
    throw new Error('.dockerignore has to forbid everything first and then let names through.');
  }
  const there = new Set(await readdir(context));
  const names = lines.slice(1).map((line) => line.slice(1));
  const missing = names.filter((name) => !there.has(name));
  if (missing.length > 0)
    throw new Error(`.dockerignore lets through what is not there: ${missing.join(', ')}.`);
  return new Set(names);
}

function execForm(text: string): string[] {
  // The exec form of a Dockerfile is JSON.
  return JSON.parse(text) as string[];
}

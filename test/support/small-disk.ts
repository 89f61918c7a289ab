import { execFile } from 'node:child_process';
import { mkdir, statfs } from 'node:fs/promises';
import { promisify } from 'node:util';

/** A disk of a test's own, kept in memory, that can be made full and roomy again. */
export interface SmallDisk {
  /** Leaves room for some hundred rows and nothing more. */
  readonly fill: () => Promise<void>;
  readonly makeRoom: () => Promise<void>;
  /** Nothing on it may be in use any more; what it held is gone. */
  readonly unmount: () => Promise<void>;
}

const run = promisify(execFile);
const ROOMY_BYTES = 2 ** 30;
const LEFT_BYTES = 64 * 1_024;

/**
 * Mounts a disk at a folder, which needs Linux and root, or sudo that asks for no password. Throws an Error that says
 * so: a full disk cannot be tried out without one, and that must not go unnoticed.
 */
export async function mountSmallDisk(folder: string): Promise<SmallDisk> {
  await mkdir(folder, { recursive: true, mode: 0o711 });
  const owner = `uid=${process.getuid?.() ?? 0},gid=${process.getgid?.() ?? 0}`;
  await asRoot('mount', '-t', 'tmpfs', '-o', `size=${ROOMY_BYTES},mode=711,${owner}`, 'tmpfs', folder);
  const resize = (bytes: number): Promise<void> => asRoot('mount', '-o', `remount,size=${bytes}`, folder);
  return {
    fill: async () => {
      const { bsize, blocks, bfree } = await statfs(folder);
      await resize((blocks - bfree) * bsize + LEFT_BYTES);
    },
    makeRoom: () => resize(ROOMY_BYTES),
    unmount: () => asRoot('umount', folder),
  };
}

async function asRoot(command: string, ...args: readonly string[]): Promise<void> {
  const isRoot = process.getuid?.() === 0;
  try {
    await (isRoot ? run(command, args) : run('sudo', ['-n', command, ...args]));
  } catch (error) {
    throw new Error(
      'A full disk cannot be tried out here: this needs Linux and the right to mount a tmpfs. Run as root (in a container with CAP_SYS_ADMIN) or with sudo that asks for no password.',
      { cause: error },
    );
  }
}

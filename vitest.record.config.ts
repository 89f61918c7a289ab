import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

// Records histories of workflow shapes that are new; the stored ones stay as they are (see test/histories).
export default defineConfig({ ...base, test: { ...base.test, include: ['test/**/*.recorder.ts'] } });

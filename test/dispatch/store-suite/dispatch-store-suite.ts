import { describeLeases } from './leases.ts';
import { describeLimits } from './limits.ts';
import { describeResults } from './results.ts';
import type { MakeHarness } from './store-harness.ts';

/** The contract of every `DispatchStore`. */
export function describeDispatchStore(name: string, make: MakeHarness): void {
  describeLeases(name, make);
  describeResults(name, make);
  describeLimits(name, make);
}

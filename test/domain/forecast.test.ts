import { assert, constantFrom, integer, property, record, uniqueArray } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sendingMs } from '../../domain/dispatch/pace.ts';
import { forecastOf, type ForecastJob } from '../../domain/forecast.ts';
import { isQuiet } from '../../domain/quiet-hours.ts';

const HOUR = 3_600_000;
const at = (time: string): number => Date.parse(`2026-03-03T${time}:00-05:00`);
const NONE = { start: '00:00', end: '00:00' };
const NIGHT = { start: '20:00', end: '08:00' };
const job = (fields: Partial<ForecastJob>): ForecastJob => ({
  messageId: 'msg_1',
  kind: 'sms',
  dueAt: at('12:00'),
  expiresAt: (fields.dueAt ?? at('12:00')) + 24 * HOUR,
  timeZone: 'America/New_York',
  quietHours: NIGHT,
  recipients: 1_000,
  workMs: HOUR,
  units: 1_000,
  ...fields,
});
const one = (fields: Partial<ForecastJob>, now = at('12:00')) => forecastOf(now, [job(fields)])[0];

describe('a forecast of one message', () => {
  test('ends when its work is done', () => {
    expect(one({})).toEqual({
      messageId: 'msg_1',
      startsAt: at('12:00'),
      endsAt: at('13:00'),
      rollsOver: null,
      expires: null,
    });
  });

  test('starts when it is due, or when quiet hours end', () => {
    expect(one({ dueAt: at('15:00') }, at('09:00'))).toMatchObject({ startsAt: at('15:00') });
    expect(one({ dueAt: at('07:00') }, at('06:00'))).toMatchObject({
      startsAt: at('08:00'),
      endsAt: at('09:00'),
      rollsOver: null,
    });
  });

  test('names who rolls over to the next day, and goes on when quiet hours end', () => {
    expect(one({ dueAt: at('19:00'), workMs: 4 * HOUR }, at('19:00'))).toEqual({
      messageId: 'msg_1',
      startsAt: at('19:00'),
      endsAt: at('08:00') + 27 * HOUR,
      rollsOver: {
        why: 'quiet_hours',
        count: 750,
        closesAt: at('20:00'),
        opensAt: at('08:00') + 24 * HOUR,
      },
      expires: null,
    });
  });

  test('ends exactly at the beginning of quiet hours without rolling over', () => {
    expect(one({ dueAt: at('19:00'), workMs: HOUR }, at('19:00'))).toMatchObject({
      endsAt: at('20:00'),
      rollsOver: null,
    });
  });

  test('names who expires: at the expiry in the night, and while sending', () => {
    const night = one({ dueAt: at('19:00'), workMs: 4 * HOUR, expiresAt: at('21:00') }, at('19:00'));
    expect(night).toMatchObject({
      endsAt: at('21:00'),
      rollsOver: null,
      expires: { count: 750, at: at('21:00') },
    });
    const day = one({ workMs: 4 * HOUR, expiresAt: at('13:00') });
    expect(day).toMatchObject({ endsAt: at('13:00'), expires: { count: 750, at: at('13:00') } });
  });

  test('tells those who are texted on the next day from those who expire on it', () => {
    const expiresAt = at('09:00') + 24 * HOUR;
    expect(one({ dueAt: at('19:00'), workMs: 4 * HOUR, expiresAt }, at('19:00'))).toMatchObject({
      rollsOver: { count: 250 },
      expires: { count: 500, at: expiresAt },
    });
  });

  test('that expires before its window opens never starts', () => {
    expect(one({ dueAt: at('21:00'), expiresAt: at('23:00') }, at('21:00'))).toMatchObject({
      startsAt: null,
      endsAt: at('23:00'),
      expires: { count: 1_000, at: at('23:00') },
    });
  });

  test('without pace is done at once, and without recipients too', () => {
    expect(one({ workMs: 0 })).toMatchObject({ startsAt: at('12:00'), endsAt: at('12:00'), expires: null });
    expect(one({ workMs: 0, recipients: 0 })).toMatchObject({ endsAt: at('12:00'), expires: null });
  });

  test('counts windows on the wall clock through a change of the clocks', () => {
    // On 8 March 2026 the clocks in New York go forward at 02:00, so the night is an hour shorter.
    const dueAt = Date.parse('2026-03-07T19:30:00-05:00');
    expect(one({ dueAt, workMs: HOUR }, dueAt)).toMatchObject({
      rollsOver: { opensAt: Date.parse('2026-03-08T08:00:00-04:00') },
      endsAt: Date.parse('2026-03-08T08:30:00-04:00'),
    });
  });
});

describe('a forecast of several messages', () => {
  test('has those that overlap share the pace', () => {
    const [first, second] = forecastOf(at('12:00'), [
      job({ messageId: 'msg_1', workMs: 2 * HOUR }),
      job({ messageId: 'msg_2', workMs: HOUR, dueAt: at('13:00') }),
    ]);
    expect(first).toMatchObject({ endsAt: at('15:00') });
    expect(second).toMatchObject({ startsAt: at('13:00'), endsAt: at('15:00') });
  });

  test('gives SMS and MMS a pace each', () => {
    const [first, second] = forecastOf(at('12:00'), [
      job({ messageId: 'msg_1' }),
      job({ messageId: 'msg_2', kind: 'mms' }),
    ]);
    expect([first?.endsAt, second?.endsAt]).toEqual([at('13:00'), at('13:00')]);
  });

  test('takes the cohorts of a message together, each in its own window', () => {
    const [whole] = forecastOf(at('19:30'), [
      job({ dueAt: at('19:30'), recipients: 100, workMs: 2 * HOUR }),
      job({ dueAt: at('19:30'), recipients: 100, workMs: HOUR, timeZone: 'America/Los_Angeles' }),
    ]);
    // New York has had a quarter of an hour of the pace when its night begins; Los Angeles has all of it then.
    expect(whole).toMatchObject({
      startsAt: at('19:30'),
      endsAt: at('08:00') + 24 * HOUR + 1.75 * HOUR,
      rollsOver: { count: 88, closesAt: at('20:00') },
    });
  });

  test('accounts for everybody, begins in permitted hours, and takes as long as its work', () => {
    const jobs = uniqueArray(
      record({
        name: integer({ min: 0, max: 9 }),
        dueMin: integer({ min: 0, max: 3_000 }),
        workMin: integer({ min: 0, max: 2_000 }),
        livesMin: integer({ min: 1, max: 6_000 }),
        recipients: integer({ min: 1, max: 5_000 }),
        quietHours: constantFrom(NONE, NIGHT, { start: '12:00', end: '13:00' }),
        kind: constantFrom('sms' as const, 'mms' as const),
      }),
      { minLength: 1, maxLength: 6, selector: (item) => item.name },
    );
    assert(
      property(jobs, (items) => {
        const now = at('12:00');
        const given = items.map((item) =>
          job({
            messageId: `msg_${item.name}`,
            kind: item.kind,
            dueAt: now + item.dueMin * 60_000,
            expiresAt: now + (item.dueMin + item.livesMin) * 60_000,
            quietHours: item.quietHours,
            recipients: item.recipients,
            workMs: item.workMin * 60_000,
          }),
        );
        for (const [index, message] of forecastOf(now, given).entries()) {
          const own = given[index] ?? job({});
          const expired = message.expires?.count ?? 0;
          expect(expired).toBeLessThanOrEqual(own.recipients);
          expect((message.rollsOver?.count ?? 0) + expired).toBeLessThanOrEqual(own.recipients);
          expect(message.endsAt).toBeLessThanOrEqual(own.expiresAt);
          // Whoever never starts loses everybody; whoever starts does so when he may, and works as long as he must.
          const { startsAt } = message;
          const isRight =
            startsAt === null
              ? expired === own.recipients
              : startsAt >= own.dueAt &&
                !isQuiet(startsAt, own.quietHours, own.timeZone) &&
                (expired > 0 || message.endsAt - startsAt >= own.workMs - given.length);
          expect({ message, own, isRight }).toMatchObject({ isRight: true });
        }
      }),
    );
  });
});

describe('a forecast under daily caps', () => {
  /** Midnight in Los Angeles, three hours after that of New York. */
  const RESET = at('03:00') + 24 * HOUR;
  const cap = (unitsPerDay: number, unitsLeft = unitsPerDay) => ({
    unitsPerDay,
    unitsLeft,
    resetZone: 'America/Los_Angeles',
  });
  const capped = (caps: Parameters<typeof forecastOf>[2], fields: Partial<ForecastJob> = {}) =>
    forecastOf(at('12:00'), [job({ expiresAt: at('12:00') + 240 * HOUR, ...fields })], caps)[0];

  test('goes on each day with what the cap lets through, in permitted hours', () => {
    // A thousand in an hour: 400 today and tomorrow, and 200 on the third day.
    expect(capped([cap(400)])).toEqual({
      messageId: 'msg_1',
      startsAt: at('12:00'),
      endsAt: at('08:00') + 48 * HOUR + 0.2 * HOUR,
      rollsOver: {
        why: 'daily_cap',
        count: 600,
        closesAt: at('12:00') + 0.4 * HOUR,
        opensAt: at('08:00') + 24 * HOUR,
      },
      expires: null,
    });
  });

  test('counts what others have used of today, and starts tomorrow where nothing is left', () => {
    expect(capped([cap(1_000, 900)])).toMatchObject({
      startsAt: at('12:00'),
      endsAt: at('08:00') + 24 * HOUR + 0.1 * HOUR,
      rollsOver: { why: 'daily_cap', count: 100 },
    });
    expect(capped([cap(1_000, 0)])).toMatchObject({
      startsAt: at('08:00') + 24 * HOUR,
      endsAt: at('09:00') + 24 * HOUR,
      rollsOver: null,
    });
  });

  test('that are not used up change nothing, and the tightest of several counts', () => {
    expect(capped([cap(1_000), cap(5_000)])).toMatchObject({ endsAt: at('13:00'), rollsOver: null });
    expect(capped([cap(5_000), cap(500)])).toMatchObject({ rollsOver: { count: 500 } });
    expect(capped([cap(1_000)], { units: 2_000 })).toMatchObject({ rollsOver: { count: 500 } });
  });

  test('begin anew at their own midnight, also while it is being sent', () => {
    const always = { quietHours: NONE, dueAt: at('02:30') + 24 * HOUR };
    expect(capped([cap(600)], always)).toMatchObject({ endsAt: at('03:30') + 24 * HOUR, rollsOver: null });
    expect(capped([cap(400)], always)).toMatchObject({
      rollsOver: { why: 'daily_cap', count: 600, opensAt: RESET },
      endsAt: RESET + 24 * HOUR + 0.2 * HOUR,
    });
  });

  test('interrupt what has no pace, too', () => {
    const unpaced = capped([cap(400)], { workMs: 0, quietHours: NONE });
    expect(unpaced?.rollsOver).toMatchObject({ why: 'daily_cap', count: 600, opensAt: RESET });
    expect((unpaced?.endsAt ?? 0) - (RESET + 24 * HOUR)).toBeLessThan(60_000);
  });

  test('leave whoever they keep waiting for too long to expire', () => {
    const expiresAt = at('12:00') + 24 * HOUR;
    expect(capped([cap(400)], { expiresAt })).toMatchObject({
      endsAt: expiresAt,
      rollsOver: { count: 400 },
      expires: { count: 200, at: expiresAt },
    });
  });

  test('are shared by all messages, SMS and MMS', () => {
    const [sms, mms] = forecastOf(
      at('12:00'),
      [
        job({ messageId: 'msg_1', expiresAt: RESET + 240 * HOUR }),
        job({ messageId: 'msg_2', kind: 'mms', expiresAt: RESET + 240 * HOUR }),
      ],
      [cap(1_000)],
    );
    expect([sms?.rollsOver?.count, mms?.rollsOver?.count]).toEqual([500, 500]);
    expect([sms?.endsAt, mms?.endsAt]).toEqual([at('08:30') + 24 * HOUR, at('08:30') + 24 * HOUR]);
  });

  test('let no more through on any day than they allow, and take no longer than they must', () => {
    assert(
      property(
        integer({ min: 1, max: 3_000 }),
        integer({ min: 1, max: 1_500 }),
        integer({ min: 0, max: 1_500 }),
        integer({ min: 0, max: 300 }),
        (people, unitsPerDay, usedToday, workMin) => {
          const left = Math.max(0, unitsPerDay - usedToday);
          const forecast = capped([cap(unitsPerDay, left)], {
            recipients: people,
            units: people,
            workMs: workMin * 60_000,
            quietHours: NONE,
            expiresAt: at('12:00') + 4_000 * 24 * HOUR,
          });
          const days = people <= left ? 0 : Math.ceil((people - left) / unitsPerDay);
          const endsAt = forecast?.endsAt ?? 0;
          // Work of five hours at most fits into each of these days.
          const earliest = days === 0 ? at('12:00') : RESET + (days - 1) * 24 * HOUR - 1.5 * HOUR;
          expect({ days, endsAt, isRight: endsAt >= earliest }).toMatchObject({ isRight: true });
          const latest = days === 0 ? at('18:00') : RESET + (days - 1) * 24 * HOUR + 7 * HOUR;
          expect({ days, endsAt, isRight: endsAt <= latest }).toMatchObject({ isRight: true });
          expect(forecast?.expires).toBe(null);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('how long texts take', () => {
  const limit = { requestsMax: 300, windowMs: 5_000 };
  const message = { recipients: 5_400, units: 5_400, pace: null, isSameForAll: false, limit };

  test.each([
    [{ pace: 10 }, 540_000],
    [{ pace: 10, units: 10_800 }, 1_080_000],
    [{}, 100_000],
    [{ isSameForAll: true }, (43 * 5_000) / 270],
    [{ pace: 1, isSameForAll: true }, 5_400_000],
    [{ limit: { requestsMax: 0, windowMs: 5_000 } }, 0],
    [{ recipients: 0, units: 0 }, 0],
  ])('follows the slower of pace and requests: %j', (fields, expected) => {
    expect(sendingMs({ ...message, ...fields })).toBeCloseTo(expected, 6);
  });
});

/** Cron expressions as people choose them, and in words. */
import 'cronstrue/locales/zh_CN';

import { toString } from 'cronstrue';

export const PRESETS = ['hourly', 'daily', 'weekly', 'monthly', 'custom'] as const;
export type Preset = (typeof PRESETS)[number];

/** What the form holds; each preset takes what it needs of it, and what it does not need is kept. */
export interface Plan {
  preset: Preset;
  /** Of the hour, for `hourly`. */
  minute: number;
  /** Of the day: "03:00". */
  time: string;
  /** 0 is Sunday. */
  weekday: number;
  /** Of the month. */
  day: number;
  /** The expression itself, for `custom`. */
  cron: string;
}

export const START: Plan = { preset: 'daily', minute: 0, time: '03:00', weekday: 1, day: 1, cron: '0 3 * * *' };

/** Returns the preset that an expression is, `custom` for any other. */
export function planOf(cron: string): Plan {
  const plan = { ...START, preset: 'custom' as Preset, cron };
  const [minute = '', hour = '', day = '', month = '', weekday = '', ...rest] = cron.trim().split(/\s+/);
  if (rest.length > 0 || month !== '*' || !isNumber(minute, 59)) {
    return plan;
  }
  if (hour === '*') {
    return day === '*' && weekday === '*' ? { ...plan, preset: 'hourly', minute: Number(minute) } : plan;
  }
  if (!isNumber(hour, 23)) {
    return plan;
  }
  const time = `${hour.padStart(2, '0')}:${minute.padStart(2, '0')}`;
  if (day === '*' && weekday === '*') {
    return { ...plan, preset: 'daily', time };
  }
  if (day === '*' && isNumber(weekday, 7)) {
    return { ...plan, preset: 'weekly', time, weekday: Number(weekday) % 7 };
  }
  if (weekday === '*' && isNumber(day, 31) && Number(day) > 0) {
    return { ...plan, preset: 'monthly', time, day: Number(day) };
  }
  return plan;
}

function isNumber(text: string, most: number): boolean {
  return /^\d{1,2}$/.test(text) && Number(text) <= most;
}

/** Returns the expression of a plan. */
export function cronOf(plan: Plan): string {
  const [hour = 0, minute = 0] = plan.time.split(':').map(Number);
  switch (plan.preset) {
    case 'hourly':
      return `${plan.minute} * * * *`;
    case 'daily':
      return `${minute} ${hour} * * *`;
    case 'weekly':
      return `${minute} ${hour} * * ${plan.weekday}`;
    case 'monthly':
      return `${minute} ${hour} ${plan.day} * *`;
    case 'custom':
      return plan.cron.trim();
  }
}

/** Returns an expression in words, or as it is when there are none for it. */
export function inWords(cron: string, language: string): string {
  const [, hour = '', day = '', , weekday = ''] = cron.split(' ');
  try {
    return toString(cron, {
      locale: language.startsWith('zh') ? 'zh_CN' : 'en',
      use24HourTimeFormat: true,
      // "every day" is said of a time of day, and not of every minute.
      verbose: /^\d+$/.test(hour),
      // As the platform reads it: both have to match as soon as one of them begins with a star.
      logicalAndDayFields: day.startsWith('*') || weekday.startsWith('*')
    });
  } catch {
    return cron;
  }
}

/** The zone one is in. */
export function ownZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
}

/** A time as the clock on the wall of a zone shows it, with the day of the week: the zone's summer time shows. */
export function wallClock(time: string, timezone: string, language: string): string {
  const form: Intl.DateTimeFormatOptions = {
    timeZone: timezone,
    weekday: 'short',
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short'
  };
  return new Intl.DateTimeFormat(language, form).format(new Date(time));
}

/** Real data sets that the npm package vega-datasets ships: US flights of 2001, daily weather, hourly normals. */
import { readFileSync } from 'node:fs';

const folder = new URL('../node_modules/vega-datasets/data/', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, folder), 'utf8');

export interface DataSet {
  readonly name: string;
  readonly columns: string;
  readonly interval: string;
  readonly about: string;
  readonly rows: readonly string[];
}

interface Flight {
  readonly date: string;
  readonly delay: number;
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
}

const csvRows = (name: string): string[] => read(name).trim().split('\n').slice(1);

export const dataSets = (): DataSet[] => [
  {
    name: 'flights',
    columns: 'time timestamptz not null, delay int, distance int, origin text, destination text',
    interval: '7 days',
    about: 'flights in the United States, early 2001',
    rows: (JSON.parse(read('flights-20k.json')) as Flight[]).map(
      (f) => `${f.date},${f.delay},${f.distance},${f.origin},${f.destination}`,
    ),
  },
  {
    name: 'weather',
    columns:
      'location text not null, time date not null, rain float8, temp_max float8, temp_min float8, wind float8, kind text',
    interval: '90 days',
    about: 'daily weather of Seattle and New York, 2012 to 2015',
    rows: csvRows('weather.csv'),
  },
  {
    name: 'normals',
    columns: 'time timestamp not null, pressure float8, temperature float8, wind float8',
    interval: '30 days',
    about: 'hourly climate normals of Seattle',
    rows: csvRows('seattle-weather-hourly-normals.csv'),
  },
];

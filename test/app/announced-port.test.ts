import { describe, expect, it } from "vitest";
import { announcedPorts } from "#src/app/announced-port.ts";

describe("the ports that a line says something listens on", () => {
  it.each([
    ["  ➜  Local:   http://localhost:5173/", 5173],
    ["- Local:        http://localhost:\u001B[1m3000\u001B[22m", 3000],
    ["Example app listening on port 3000", 3000],
    ["Listening on http://[::]:8080", 8080],
    ["started server on 0.0.0.0, url: http://0.0.0.0:3000", 3000],
    ["Server running on port: 4000", 4000],
    ["listening on :8080", 8080],
    ["Server is listening at localhost:5000", 5000],
    ["Listening at: http://0.0.0.0:8000 (12)", 8000],
    [" * Running on http://127.0.0.1:5000", 5000],
    ["<i> [webpack-dev-server] Loopback: http://localhost:8080/", 8080],
    ["open your browser on http://localhost:4200/", 4200],
    ["\u001B[32mhttp://[::1]:4321\u001B[39m", 4321],
    ["Server ready on port: 8787", 8787],
  ])("%s", (line, port) => {
    expect(new Set(announcedPorts(line))).toEqual(new Set([{ port, isClaimed: true }]));
  });
});

describe("the ports that a line only mentions", () => {
  it.each([
    ["search: http://localhost:9200", 9200],
    ["API proxied to http://localhost:8899", 8899],
    ["[HPM] Proxy created: /api -> http://localhost:8899/v1", 8899],
  ])("%s", (line, port) => {
    expect(announcedPorts(line)).toEqual([{ port, isClaimed: false }]);
  });
});

it("finds each port of a line", () => {
  const line = '{"db":"http://localhost:9200","msg":"listening on port 3477"}';
  expect(announcedPorts(line).map(({ port }) => port)).toEqual([3477, 9200]);
});

it.each([
  "started worker 3 of 4",
  "connected to the database on port 5432",
  "see https://example.com:8443/docs",
  "http://localhost/",
  "http://localhost:99999",
  "http://localhost:0/",
  "started in: 70000",
  "http://localhost:123456",
])("finds no port in %s", (line) => {
  expect(announcedPorts(line)).toEqual([]);
});

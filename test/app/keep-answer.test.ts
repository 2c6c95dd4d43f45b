import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { keepAnswer } from "#src/app/keep-answer.ts";

test("a write that fails once everything has been read closes the socket", async () => {
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  keepAnswer(socket);
  socket.write(Buffer.alloc(50_000_000)); // more than the system takes
  const [peer] = (await once(server, "connection")) as [Socket];
  peer.end("the answer");
  const [answer] = await once(socket, "data");
  await once(socket, "end");
  const closed = once(socket, "close");
  peer.destroy();
  await expect(closed).rejects.toThrow(/^write /);
  expect(String(answer)).toBe("the answer");
});

import { expect, it } from "vitest";

import type { NetworkView } from "#src/commands/server/network-view.ts";
import { PhoneNews } from "#src/commands/server/phone-news.ts";

/** What is told as a phone's URL becomes each of these, after the banner has shown `home`. */
function toldFor(urls: readonly (string | undefined)[], { text = (url: string) => `${url}\n` } = {}) {
  let phoneUrl: string | undefined = "home";
  const network: NetworkView = {
    urls: () => "",
    phone: () => text(phoneUrl ?? "none"),
    access: () => ({ urls: [], ...(phoneUrl === undefined ? {} : { phoneUrl }) }),
  };
  const news = new PhoneNews(network);
  news.shown("https://localhost:4433");
  return urls.map((url) => {
    phoneUrl = url;
    return news.text();
  });
}

it("a phone's URL is told when it is another than the one that was shown, not for a VPN, nor in the same network again", () => {
  expect(toldFor(["home", "cafe", "cafe"])).toEqual(["", "cafe\n", ""]);
  expect(toldFor([undefined, "home", undefined, "cafe"])).toEqual(["", "", "", "cafe\n"]);
});

it("a QR code has an empty line below it, too", () => {
  expect(toldFor(["cafe"], { text: (url) => `\n${url}\n` })).toEqual(["\ncafe\n\n"]);
});

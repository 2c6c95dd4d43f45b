import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { ChanctlError } from "../shared/errors.ts";
import { addressOf } from "../transports/access.ts";
import type { HttpRequest, HttpResponse } from "../transports/http.ts";
import { endWithProblem } from "../transports/socket-answer.ts";
import { findHostFault } from "./host-header.ts";
import type { HostRules } from "./host-header.ts";
import { sendHostRefusal } from "./host-refusal.ts";
import type { Routes } from "./routes.ts";

interface CheckedRoutes {
  readonly request: (request: HttpRequest, response: HttpResponse) => void;
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /** Returns whether it was answered; else it is redirected. */
  readonly plainRequest: (request: HttpRequest, response: HttpResponse) => boolean;
}

/** Lets only what names its host as it must through to the routes, and answers the rest. */
export function checkHosts(routes: Routes, rules: HostRules): CheckedRoutes {
  const findFault = (request: HttpRequest): ChanctlError | undefined => {
    const fault = findHostFault(request, rules);
    if (fault?.code === "host_forbidden") routes.refused(fault, addressOf(request));
    return fault;
  };
  return {
    request: (request, response) => {
      const fault = findFault(request);
      if (fault === undefined) routes.request(request, response);
      else sendHostRefusal(request, response, fault);
    },
    upgrade: (request, socket, head) => {
      const fault = findFault(request);
      if (fault === undefined) routes.upgrade(request, socket, head);
      else endWithProblem(socket, fault);
    },
    plainRequest: (request, response) => {
      const fault = findFault(request);
      if (fault === undefined) return routes.plainRequest?.(request, response) === true;
      if (fault.code !== "host_forbidden") return false;
      sendHostRefusal(request, response, fault);
      return true;
    },
  };
}

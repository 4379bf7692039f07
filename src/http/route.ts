/** What an endpoint is: which methods, who may, and the function that answers. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Scope } from '../domain/token.ts';
import type { Principal } from './auth.ts';

export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  url: URL;
  /** Of open routes: nobody asked who it is, and everything is allowed to it. */
  principal: Principal;
}

export interface Route {
  /** For metrics: a fixed text, never the address that was asked for. */
  name: string;
  methods: readonly ('GET' | 'POST')[];
  /** `open`: no token is asked for. `any`: a valid token, whose scopes the endpoint judges. */
  access: 'open' | 'any' | Scope;
  /** The shape in which errors are told. */
  errors: 'plain' | 'graphql';
  /** Rejecting is answered as an error, if nothing was sent yet. */
  handle: (exchange: Exchange) => Promise<void> | void;
}

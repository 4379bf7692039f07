/** What an endpoint is: which methods, who may, and the function that answers. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ShiplogError } from '../domain/errors.ts';
import type { Scope } from '../domain/token.ts';
import type { Principal } from './auth.ts';

export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  url: URL;
  /** On open routes nobody asked who it is, and it may do everything. */
  principal: Principal;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS';

/** Answers a request that was refused; nothing was sent yet. */
export type AnswerError = (response: ServerResponse, error: ShiplogError) => void;

export interface Route {
  /** For metrics: a fixed text, never the address that was asked for. */
  name: string;
  /**
   * OPTIONS is among them where the endpoint answers it itself, to everybody; else it is answered
   * for CORS.
   */
  methods: readonly Method[];
  /** `open`: no token is asked for. `any`: a valid token, whose scopes the endpoint judges. */
  access: 'open' | 'any' | Scope;
  /** true: a token may come as `Basic`, `ApiKey` or `Splunk`, too: others' clients know no Bearer. */
  anyScheme?: boolean;
  /** The shape in which errors are told; a protocol of others has its own. */
  errors: 'plain' | 'graphql' | AnswerError;
  /** Rejecting is answered as an error, if nothing was sent yet. */
  handle: (exchange: Exchange) => Promise<void> | void;
}

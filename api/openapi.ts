import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';

/** The frame of the OpenAPI document; the routes' schemas fill it. */
export const OPENAPI: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'Carillon',
      version: '0.1.0',
      description:
        'Durable SMS campaigns: nobody is texted twice, nobody is forgotten, nobody is texted when he must not be.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    components: {
      securitySchemes: {
        key: { type: 'http', scheme: 'bearer', description: 'An API key, such as crl_..._....' },
      },
    },
    security: [{ key: [] }],
    tags: [
      { name: 'campaigns', description: 'Campaigns, their messages and reports.' },
      { name: 'actions', description: 'What steers a campaign.' },
      { name: 'contacts', description: 'Contacts, lists and imports.' },
      { name: 'account', description: 'The account, its people, keys, senders and media.' },
      { name: 'installation', description: "What an operator's key sets up." },
      { name: 'carrier', description: 'Where the carrier calls back.' },
      { name: 'health', description: 'Whether this process lives and can work.' },
    ],
  },
};

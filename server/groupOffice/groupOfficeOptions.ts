import { string } from 'yup';

/** Options shared by the drivers that speak to a Group-Office. */
export const url = string()
  .matches(/^https?:\/\/[^\s?#]+$/, 'url must be http(s)://host[:port][/folder]')
  .required()
  .meta({ description: 'Where Group-Office answers, its folder included', example: 'http://127.0.0.1' });

export const host = string()
  .matches(/^[a-z0-9.-]+(:\d+)?$/i)
  .nullable()
  .meta({ description: 'Host header of the calls, where it is not that of the URL', example: 'mail.example.com' });

export const serviceKey = string()
  .matches(/^[\x21-\x7e]{16,200}$/, 'serviceKey must be the key that Group-Office gave')
  .required()
  .meta({ secret: true, description: 'API key of a user with the manage right of the module mailboxpassword', example: '{ file: /etc/mailbox-password/groupoffice.key }' });

/** False for what no column of Group-Office can hold and its JSON does not take: nobody's name, and not worth a question. */
export const mayBeName = (address: string): boolean => address !== '' && Buffer.byteLength(address) <= 255 && !/[\u0000-\u001f\u007f]|\p{Surrogate}/u.test(address);

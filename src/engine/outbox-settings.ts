/** What of the configuration the outbox needs. Pure. */
import type { Config } from '../config/schema.ts';
import type { OutboxSettings } from '../outbox/task.ts';

export const outboxSettings = (config: Config): OutboxSettings => ({
  limits: {
    connections: config.EMAIL_OUTBOX_MAX_CONNECTIONS_PER_ACCOUNT,
    messagesPerMinute: config.EMAIL_OUTBOX_MESSAGES_PER_MINUTE,
    recipientsPerDay: config.EMAIL_OUTBOX_RECIPIENTS_PER_DAY,
    recipientsPerMessage: config.EMAIL_OUTBOX_RECIPIENTS_PER_MESSAGE,
    providers: config.EMAIL_OUTBOX_PROVIDERS,
  },
  authRetrySeconds: config.EMAIL_AUTH_ERROR_CHECK_RETRY_TIME,
  networkTimeoutMs: config.EMAIL_NETWORK_TIMEOUT * 1000,
  giveUpHours: config.EMAIL_OUTBOX_GIVE_UP_HOURS,
  messageBytesMax: config.EMAIL_OUTBOX_MAX_MESSAGE_BYTES,
  attachmentRoot: config.EMAIL_ATTACHMENT_ROOT,
  unknown: config.EMAIL_OUTBOX_UNKNOWN,
});

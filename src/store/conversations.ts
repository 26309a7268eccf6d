/** What putting messages into conversations asks of a store; the rule itself is conversation-rule.ts. */

export interface ConversationWrites {
  /** Messages without a conversation get one, at most `countMax` of them; returns how many. Joined conversations keep the oldest id. */
  threadMessages(countMax: number): Promise<number>;
  /** Takes conversations off all messages of this account; returns how many. threadMessages forms them anew, under new ids. */
  forgetConversations(acntid: number): Promise<number>;
}

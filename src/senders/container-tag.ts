/** The tag that Docker's log drivers write: `web-1/51a1af8029a9`, or the short id alone. */

export interface ContainerTag {
  /** Its name, or its id where the tag has no name. */
  name: string;
  /** null: the tag does not say it. */
  id: string | null;
}

const SHORT_ID = '[0-9a-f]{12}';
const NAME_AND_ID = new RegExp(`^([^/\\s]+)/(${SHORT_ID})$`);
const ID_ALONE = new RegExp(`^${SHORT_ID}$`);

/** null: nothing shows that a container is meant. */
export function containerTag(tag: string): ContainerTag | null {
  const both = NAME_AND_ID.exec(tag);
  if (both !== null) return { name: both[1] as string, id: both[2] as string };
  return ID_ALONE.test(tag) ? { name: tag, id: tag } : null;
}

/** Which part of a list is asked for. */
export interface PageRequest {
  limit: number;
  offset: number;
}

/** A part of a list, and how long the whole is. */
export interface Page<Item> {
  items: Item[];
  total: number;
}

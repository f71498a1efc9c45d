// visible takes out control and formatting characters, by which a text could look like another or turn what is around it.
export const visible = (text: string) => text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, '')

const MOST = 80

// cut shortens a text to what a name needs, and never in the middle of a character.
export function cut(text: string): string {
  const characters = [...text]
  return characters.length > MOST ? `${characters.slice(0, MOST - 1).join('')}…` : text
}

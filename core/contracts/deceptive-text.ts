/**
 * Characters that a person does not see although they are there: invisible format characters, fillers, variation selectors, tags, and the
 * bidirectional controls that reorder text (“Trojan Source”, CVE-2021-42574). Mostly Unicode's Default_Ignorable_Code_Point. Not U+FE0F,
 * which makes an emoji of the character before it.
 */
const deceptiveClass =
  '\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ufe00-\\ufe0e\\ufeff\\uffa0\\ufff0-\\ufffb\\u{e0000}-\\u{e0fff}'

/** Such a character anywhere in a text. */
export const deceptive = new RegExp(`[${deceptiveClass}]`, 'u')

/** Every such character, and every control character or lone surrogate: what must not reach a terminal as it is. */
export const unprintable = new RegExp(`[\\u0000-\\u001f\\u007f-\\u009f${deceptiveClass}]|\\p{Surrogate}`, 'gu')

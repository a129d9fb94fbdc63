/** Of accounts that every migrated database of the tests has. */
export const KEY_A = `hf_test_${'a'.repeat(26)}_secretofaccounta`;
export const KEY_B = `hf_test_${'b'.repeat(26)}_secretofaccountb`;

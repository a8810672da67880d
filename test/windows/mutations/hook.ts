import type { Mutation } from './mutation.ts'

const windows = 'native/src/windows'

/** The steps of the interception layer. */
export const hookMutations: readonly Mutation[] = [
  {
    id: 'hook-destination-of-rename',
    file: `${windows}/hook/information.c`,
    from: 'for (int i = 0; i < (link ? 1 : 2); i++) {',
    to: 'for (int i = 0; i < 0; i++) {',
    cases: 'real/hook-files',
  },
  {
    id: 'hook-deletion-by-disposition',
    file: `${windows}/hook/information.c`,
    from: 'case DELETING: return bh_watched(BH_HOOK_FILE_DELETE);',
    to: 'case DELETING: return false;',
    cases: 'real/hook-files',
  },
  {
    id: 'hook-deletion-on-close',
    file: `${windows}/hook/file.c`,
    from: 'if (erase) {',
    to: 'if (erase && room == NULL) {',
    cases: 'real/hook-files',
  },
  {
    id: 'hook-enters-children',
    file: `${windows}/hook/process.c`,
    from: 'if (is_watched(process)) return true;',
    to: 'if (is_watched(process) || thread != NULL) return true;',
    cases: 'real/hook-tree',
  },
  {
    id: 'hook-refuses-32-bit',
    file: `${windows}/hook/process.c`,
    from: 'if ((!foreign || policy->report_wow64) &&',
    to: 'if ((!foreign || policy != NULL) &&',
    cases: 'real/hook-answers',
  },
  {
    id: 'hook-policy-sum',
    file: `${windows}/hook-policy.c`,
    from: 'return *digest == bh_hook_digest(r->at, r->left);',
    to: 'return *digest != 0;',
    cases: 'real/hook-answers',
  },
  {
    id: 'hook-policy-digest-read-back',
    file: `${windows}/inject.c`,
    from: 'state.digest != digest',
    to: '(state.digest == 0 && digest == 0)',
    cases: 'real/hook-answers',
  },
  {
    id: 'hook-shape-of-system-calls',
    file: `${windows}/hook/stub.c`,
    from: 'if (code == NULL || !bh_stub_is_sound(code)) return false;',
    to: 'if (code == NULL) return false;',
    cases: 'real/hook-answers',
  },
  {
    id: 'hook-sleeps-in-the-probe',
    file: `${windows}/hook/judge.c`,
    from: 'if (policy->held) {',
    to: 'if (policy->held && is_proof(named)) {',
    cases: 'real/hook-answers',
  },
  {
    id: 'hook-clients-of-the-job-only',
    file: `${windows}/launcher/events.c`,
    from: '|| !in_job(events->job, pid)) return false;',
    to: '|| (!in_job(events->job, pid) && pid == 0)) return false;',
    cases: 'real/hook-answers',
  },
  {
    id: 'hook-unanswered-is-no',
    file: `${windows}/hook/report.c`,
    from: 'return ok && verdict == 1;',
    to: 'return !ok || verdict == 1;',
    cases: 'real/hook-answers',
  },
  {
    id: 'hook-in-the-agent',
    file: `${windows}/launcher/supervise.c`,
    from: 'if (bh_watch_enter(&s->watch, &s->agent, false, &fault) < 0) {',
    to: 'if (s->failed) {',
    cases: 'real/launcher-hook',
  },
  {
    id: 'hook-datagrams',
    file: `${windows}/hook/afd.c`,
    from: 'case WINE_SENDMSG: return outside(afd, input, length, 0, 8);',
    to: 'case WINE_SENDMSG: return false;',
    cases: 'real/hook-acts',
  },
]

/*
 * The probe of a sandbox: this executable again, behind the same walls as the agent will be, before the agent exists. It tries what the
 * orchestrator asks for, until its input ends.
 */
#ifndef BULKHEAD_PROBE_H
#define BULKHEAD_PROBE_H

#include <wchar.h>

/* The argument that makes this executable one; the pid of the bystander (bystander.h) may follow. */
#define BH_PROBE_ARGUMENT L"probe"

/* Frames on standard input and output: says BH_HELD, answers BH_ATTEMPT with BH_OUTCOMES. Returns the exit code. */
int bh_probe_run(const wchar_t *bystander);

#endif

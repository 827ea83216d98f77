/** How every report begins, in ASCII: what a report may be written over. */
export const REPORT_HEAD = '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="generator" content="diad sim">\n'

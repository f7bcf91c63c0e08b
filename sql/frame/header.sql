\echo Use "create extension tessera cascade" or "alter extension tessera update" to load this file. \quit

declare module 'virtual:functions' {
  import type { FunctionDeclaration } from './udf/define-function.ts';
  export const functions: readonly FunctionDeclaration[];
}

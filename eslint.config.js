import js from '@eslint/js'
import stylistic from '@stylistic/eslint-plugin'
import { defineConfig } from 'eslint/config'
import tseslint from 'typescript-eslint'
import floors from './scripts/eslint-floors.js'

export default defineConfig(
  { ignores: ['**/*.d.ts', 'dist/', 'coverage/', 'node_modules/', 'bench/results/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },

  {
    files: ['**/*.{js,ts}'],
    extends: [js.configs.recommended],
    plugins: { '@stylistic': stylistic },
    rules: {
      '@stylistic/quotes': ['error', 'single', { avoidEscape: true, allowTemplateLiterals: 'avoidEscape' }],
      '@stylistic/semi': ['error', 'never'],
      eqeqeq: 'error',
      'no-unused-vars': 'off', // the compiler says it
      'no-undef': 'off' // the compiler says it
    }
  },

  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],

      // The strict set without what would be noise here.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-non-null-assertion': 'off', // bytes[i]! after a bounds check
      '@typescript-eslint/no-unnecessary-condition': 'off', // guards at public entries distrust the types
      '@typescript-eslint/no-unused-vars': 'off', // the compiler says it
      '@typescript-eslint/require-await': 'off', // ports are async though an implementation may not wait
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }]
    }
  },

  {
    files: ['src/**/*.ts', 'sim/**/*.ts'],
    plugins: { floors },
    rules: {
      'max-lines': ['error', 400],
      'floors/order': 'error',
      'floors/packages': 'error',
      'floors/pure': 'error'
    }
  },

  {
    files: ['test/**/*.ts', 'bench/**/*.ts', 'demo/**/*.ts'],
    rules: {
      // JSON.parse of a file that we wrote ourselves, and methods handed to expect().
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/unbound-method': 'off'
    }
  }
)

// What web.go serves at /brand/brand.js: the vendor's name and addresses.
declare const brand: Record<'name' | 'terms' | 'privacy' | 'support', string>;
export default brand;
